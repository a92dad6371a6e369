import type { BusyChat } from '../../../../service/delivery/busy-chats.ts';
import { parameter } from '../../parameter.ts';
import { Refusal } from '../../refusal.ts';
import type { Route } from '../../route.ts';
import { readTexts } from '../body.ts';
import { at, type Operations } from '../operations.ts';

/** Chats in one answer. */
const most = 50;

/**
 * The busiest chats of this process; any chat with its members; and what moderators do to it, by the contract's own operations. Without `busiest` the
 * process has no chats of its own.
 */
export function chatsRoutes(operations: Operations, busiest?: (most: number) => BusyChat[]): Route[] {
  return [
    {
      method: 'GET',
      path: '/admin/api/chats',
      access: 'admin',
      handle(_request, response) {
        if (!busiest)
          throw new Refusal(404, 'a gateway does not know which chats are busy: ask the chat services behind it');
        response.json({ chats: busiest(most) });
      },
    },
    {
      method: 'GET',
      path: '/admin/api/rooms',
      access: 'admin',
      async handle(request, response) {
        const query = { filter: parameter(request, 'name') };
        response.json(await operations.call(request, response, { method: 'GET', path: '/v1/rooms', query }));
      },
    },
    {
      method: 'GET',
      path: '/admin/api/chats/:id',
      access: 'admin',
      async handle(request, response) {
        const path = at`/v1/chats/${String(request.params.id)}`;
        const query = { pageToken: parameter(request, 'pageToken') };
        const [{ chat }, members] = (await Promise.all([
          operations.call(request, response, { method: 'GET', path }),
          operations.call(request, response, { method: 'GET', path: `${path}/members`, query }),
        ])) as [{ chat: object }, object];
        response.json({ chat, ...members });
      },
    },
    {
      method: 'POST',
      path: '/admin/api/chats/:id/ban',
      access: 'admin',
      async handle(request, response) {
        const { userId, reason } = await readTexts(request, ['userId', 'reason']);
        const path = at`/v1/chats/${String(request.params.id)}/bans/${userId}`;
        response.json(await operations.call(request, response, { method: 'PUT', path, body: { reason } }));
      },
    },
    {
      method: 'POST',
      path: '/admin/api/chats/:id/delete',
      access: 'admin',
      async handle(request, response) {
        const path = at`/v1/chats/${String(request.params.id)}`;
        response.json(await operations.call(request, response, { method: 'DELETE', path }));
      },
    },
  ];
}
