import { toTable } from '../../text/table.ts';
import type { Subcommand } from '../subcommand.ts';
import { actSubcommand, readValues, tableSubcommand } from './room.ts';

export const chats = tableSubcommand({
  name: 'chats',
  summary: 'list the busiest chats with readers on this process',
  path: 'chats',
  rows: 'chats',
  columns: {
    ID: (chat) => chat.chatId,
    'CHANGES/MIN': (chat) => (chat.perMinute as number).toFixed(1),
    LAST: (chat) => chat.lastSeq,
    READERS: (chat) => chat.readers,
  },
});

interface Found {
  chat: Record<string, unknown>;
  members: { user: { id: string; name: string }; role: string; joinedAt: string }[];
}

export const chat: Subcommand = {
  name: 'chat',
  summary: 'show a chat and its first members',
  help: '  --id ID            the chat',
  console: true,
  options: { id: { type: 'string' } },
  async run({ client, values, print, signal }) {
    const { id = '' } = readValues(values, ['id']);
    const answer = await client.askJson<Found>('GET', `/admin/api/chats/${encodeURIComponent(id)}`, {}, signal);
    const facts = ['id', 'type', 'name', 'lastSeq', 'memberCount', 'createdAt'].map((name) => [
      name,
      answer.chat[name],
    ]);
    const members = answer.members.map(({ user, role, joinedAt }) => [user.id, user.name, role, joinedAt]);
    print(`${toTable(['', ''], facts)}\n\n${toTable(['MEMBER', 'NAME', 'ROLE', 'SINCE'], members)}`, answer);
  },
};

export const rooms = tableSubcommand({
  name: 'rooms',
  summary: 'find rooms by a part of their name',
  help: '  --name TEXT        the part',
  parameters: { name: 'name' },
  path: 'rooms',
  rows: 'rooms',
  columns: {
    ID: (room) => room.id,
    NAME: (room) => room.name,
    MEMBERS: (room) => room.memberCount,
    LAST: (room) => room.lastSeq,
  },
});

export const banMember = actSubcommand({
  name: 'ban-member',
  summary: 'ban a user from one chat',
  help: '  --chat ID          the chat\n  --user ID          the user\n  --reason TEXT      for moderators',
  required: ['chat', 'user', 'reason'],
  path: ({ chat: id = '' }) => `chats/${encodeURIComponent(id)}/ban`,
  body: ({ user, reason }) => ({ userId: user, reason }),
});

export const deleteChat = actSubcommand({
  name: 'delete-chat',
  summary: 'delete a chat with its messages',
  help: '  --id ID            the chat',
  required: ['id'],
  path: ({ id = '' }) => `chats/${encodeURIComponent(id)}/delete`,
});
