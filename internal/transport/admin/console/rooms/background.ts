import type { Principal } from '../../../../model/principal.ts';
import type { BackgroundWorkRepository } from '../../../../repository/background-work-repository.ts';
import type { SinkReplays } from '../../../../service/sinks/sink-replays.ts';
import type { Route } from '../../route.ts';
import { readTexts } from '../body.ts';
import { withRefusals } from '../to-refusal.ts';

/** The relay of this process, if it has one. */
export interface OwnRelay {
  /** The name of its sink. */
  sink: string;
  lagSeconds: number;
  /** Why it cannot export at the moment. */
  failure: string | undefined;
}

/** Where counts stop: nobody needs to know more exactly, and counting is work for the database. */
const atMost = 10_000;

/** What the service does in the background: the export to sinks, which can be repeated, and the removal of messages of deleted chats. */
export function backgroundRoutes(
  work: BackgroundWorkRepository,
  replays: SinkReplays,
  relay: () => OwnRelay | undefined,
): Route[] {
  return [
    {
      method: 'GET',
      path: '/admin/api/background',
      access: 'admin',
      async handle(_request, response) {
        response.json({ ...(await withRefusals(() => work.read(atMost))), ownRelay: relay() ?? null });
      },
    },
    {
      method: 'POST',
      path: '/admin/api/sinks/:sink/replay',
      access: 'admin',
      async handle(request, response) {
        const asked = await readTexts(request, ['chatId', 'from', 'reason']);
        const { principal } = response.locals as { principal: Principal };
        const sink = String(request.params.sink);
        response.json(await withRefusals(() => replays.replay(principal, { sink, ...asked })));
      },
    },
  ];
}
