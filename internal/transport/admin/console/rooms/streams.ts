import type { Principal } from '../../../../model/principal.ts';
import type { StreamDirectory } from '../../../../service/sessions/stream-directory.ts';
import { parameter } from '../../parameter.ts';
import { Refusal } from '../../refusal.ts';
import type { Route } from '../../route.ts';
import { readTexts } from '../body.ts';
import { withRefusals } from '../to-refusal.ts';

/** Streams in one answer. */
const most = 200;

/** The open streams of this process, those whose clients read slowly first. */
export function streamsRoutes(streams: StreamDirectory): Route[] {
  return [
    {
      method: 'GET',
      path: '/admin/api/streams',
      access: 'admin',
      handle(request, response) {
        const all = streams.list(parameter(request, 'userId'));
        response.json({ streams: all.slice(0, most), total: all.length });
      },
    },
    {
      method: 'POST',
      path: '/admin/api/streams/:id/close',
      access: 'admin',
      async handle(request, response) {
        const { reason } = await readTexts(request, [], ['reason']);
        const { principal } = response.locals as { principal: Principal };
        const found = await withRefusals(() => streams.close(principal, String(request.params.id), reason));
        if (!found) throw new Refusal(404, 'this process has no such stream');
        response.json({});
      },
    },
  ];
}
