import type { Principal } from '../../../../model/principal.ts';
import type { UserDirectory } from '../../../../service/accounts/user-directory.ts';
import { parameter } from '../../parameter.ts';
import { invalidFields } from '../../refusal.ts';
import type { Route } from '../../route.ts';
import { readTexts } from '../body.ts';
import { withRefusals } from '../to-refusal.ts';

/** Users, their chats and their sign-in sessions. */
export function usersRoutes(users: UserDirectory): Route[] {
  return [
    {
      method: 'GET',
      path: '/admin/api/users',
      access: 'admin',
      async handle(request, response) {
        const prefix = parameter(request, 'prefix');
        if (!prefix) throw invalidFields([{ field: 'prefix', description: 'is required' }]);
        response.json({ users: await withRefusals(() => users.search(prefix)) });
      },
    },
    {
      method: 'GET',
      path: '/admin/api/users/:id',
      access: 'admin',
      async handle(request, response) {
        const { chats, sessions } = await withRefusals(() => users.details(String(request.params.id)));
        const shown = chats.map(({ id, type, name, lastSeq, memberCount }) => ({
          id,
          type,
          name,
          lastSeq,
          memberCount,
        }));
        response.json({ chats: shown, sessions });
      },
    },
    {
      method: 'POST',
      path: '/admin/api/users/:id/revoke-sessions',
      access: 'admin',
      async handle(request, response) {
        const { reason, sessionId } = await readTexts(request, ['reason'], ['sessionId']);
        const { principal } = response.locals as { principal: Principal };
        const userId = String(request.params.id);
        const ended = await withRefusals(() => users.revokeSessions(principal, userId, reason, sessionId || undefined));
        response.json({ ended });
      },
    },
  ];
}
