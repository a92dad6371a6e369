import type { Principal } from '../../../../model/principal.ts';
import { pageRoute } from '../../console-parts.ts';
import type { Route } from '../../route.ts';
import { readTexts } from '../body.ts';
import type { Operations } from '../operations.ts';

/** What the page must know before it shows a room. */
export interface ConsoleFacts {
  program: string;
  rooms: readonly string[];
  /** How many processes the port stands for. */
  workers: number;
}

/**
 * Gives the page an access token, by name and password or by the refresh token of an earlier answer. That needs no role; `me`, like the rooms, needs the
 * role `admin`.
 */
export function signInRoutes(operations: Operations, facts: ConsoleFacts): Route[] {
  return [
    pageRoute,
    {
      method: 'GET',
      path: '/admin/api/me',
      access: 'admin',
      handle(_request, response) {
        const { userId, name } = response.locals.principal as Principal;
        response.json({ userId, name, ...facts });
      },
    },
    {
      method: 'POST',
      path: '/admin/api/sign-in',
      access: 'own page',
      async handle(request, response) {
        const body = await readTexts(request, ['username', 'password']);
        response.json(await operations.call(request, response, { method: 'POST', path: '/v1/auth/login', body }));
      },
    },
    {
      method: 'POST',
      path: '/admin/api/refresh',
      access: 'own page',
      async handle(request, response) {
        const body = await readTexts(request, ['refreshToken']);
        response.json(await operations.call(request, response, { method: 'POST', path: '/v1/auth/refresh', body }));
      },
    },
  ];
}
