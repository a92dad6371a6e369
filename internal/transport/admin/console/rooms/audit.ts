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
