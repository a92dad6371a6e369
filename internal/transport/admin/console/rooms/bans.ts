import { parameter } from '../../parameter.ts';
import type { Route } from '../../route.ts';
import { readTexts } from '../body.ts';
import { at, type Operations } from '../operations.ts';

/** Bans from the service, by the contract's own operations. */
export function bansRoutes(operations: Operations): Route[] {
  return [
    {
      method: 'GET',
      path: '/admin/api/bans',
      access: 'admin',
      async handle(request, response) {
        const query = { pageToken: parameter(request, 'pageToken') };
        response.json(await operations.call(request, response, { method: 'GET', path: '/v1/bans', query }));
      },
    },
    {
      method: 'POST',
      path: '/admin/api/users/:id/ban',
      access: 'admin',
      async handle(request, response) {
        const { reason, expiresAt } = await readTexts(request, ['reason'], ['expiresAt']);
        const path = at`/v1/bans/${String(request.params.id)}`;
        const body = { reason, ...(expiresAt && { expiresAt }) };
        response.json(await operations.call(request, response, { method: 'PUT', path, body }));
      },
    },
    {
      method: 'POST',
      path: '/admin/api/users/:id/unban',
      access: 'admin',
      async handle(request, response) {
        const path = at`/v1/bans/${String(request.params.id)}`;
        response.json(await operations.call(request, response, { method: 'DELETE', path }));
      },
    },
  ];
}
