import { toTable } from '../../text/table.ts';
import type { Subcommand } from '../subcommand.ts';
import { actSubcommand, readValues, tableSubcommand } from './room.ts';

export const users = tableSubcommand({
  name: 'users',
  summary: 'find users by the beginning of their id or name',
  help: '  --prefix TEXT      the beginning',
  parameters: { prefix: 'prefix' },
  path: 'users',
  rows: 'users',
  columns: { ID: (user) => user.id, NAME: (user) => user.name },
});

interface Details {
  chats: { id: string; type: string; name: string; lastSeq: number }[];
  sessions: { id: string; lastUsedAt: string; address: string; userAgent: string }[];
}

export const user: Subcommand = {
  name: 'user',
  summary: 'show the newest chats and the sign-in sessions of a user',
  help: '  --id ID            the user',
  console: true,
  options: { id: { type: 'string' } },
  async run({ client, values, print, signal }) {
    const { id = '' } = readValues(values, ['id']);
    const answer = await client.askJson<Details>('GET', `/admin/api/users/${encodeURIComponent(id)}`, {}, signal);
    const chats = answer.chats.map((chat) => [chat.id, chat.type, chat.name, chat.lastSeq]);
    const sessions = answer.sessions.map((each) => [each.id, each.lastUsedAt, each.address, each.userAgent]);
    const tables = [
      toTable(['CHAT', 'TYPE', 'NAME', 'LAST'], chats),
      toTable(['SESSION', 'LAST USED', 'ADDRESS', 'PROGRAM'], sessions),
    ];
    print(tables.join('\n\n'), answer);
  },
};

export const revokeSessions = actSubcommand({
  name: 'revoke-sessions',
  summary: 'end the sign-in sessions of a user, or one of them',
  help: '  --user ID          the user\n  --session ID       only this session\n  --reason TEXT      for the audit log',
  required: ['user', 'reason'],
  optional: ['session'],
  path: ({ user: id = '' }) => `users/${encodeURIComponent(id)}/revoke-sessions`,
  body: ({ reason, session = '' }) => ({ reason, sessionId: session }),
});
