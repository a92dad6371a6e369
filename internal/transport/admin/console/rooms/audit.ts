import { parameter } from '../../parameter.ts';
import type { Route } from '../../route.ts';
import type { Operations } from '../operations.ts';

/** The audit log, by the contract's own operation. */
export function auditRoutes(operations: Operations): Route[] {
  return [
    {
      method: 'GET',
      path: '/admin/api/audit',
      access: 'admin',
      async handle(request, response) {
        const names = ['pageToken', 'chatId', 'actorId'];
        const query = Object.fromEntries(names.map((name) => [name, parameter(request, name)]));
        response.json(await operations.call(request, response, { method: 'GET', path: '/v1/audit-events', query }));
      },
    },
  ];
}

/** The audit log of accounts, in an auth-server: the entries that concern a user, where that of chats has those of an actor. */
export function authAuditRoutes(operations: Operations): Route[] {
  return [
    {
      method: 'GET',
      path: '/admin/api/audit',
      access: 'admin',
      async handle(request, response) {
        const query = { pageToken: parameter(request, 'pageToken'), userId: parameter(request, 'actorId') };
        const call = { method: 'GET', path: '/v1/auth/events', query } as const;
        const answer = (await operations.call(request, response, call)) as {
          events: { userId: string; detail: object }[];
          nextPageToken: string;
        };
        const events = answer.events.map(({ userId, detail, ...event }) => ({
          ...event,
          chatId: '',
          detail: { user_id: userId, ...detail },
        }));
        response.json({ events, nextPageToken: answer.nextPageToken });
      },
    },
  ];
}
