import { tableSubcommand } from './room.ts';

export const audit = tableSubcommand({
  name: 'audit',
  summary: 'list administrative acts, newest first',
  help: '  --actor ID         only acts of this user\n  --chat ID          only acts on this chat\n  --page TOKEN       a further page',
  parameters: { actor: 'actorId', chat: 'chatId', page: 'pageToken' },
  path: 'audit',
  rows: 'events',
  columns: {
    AT: (event) => event.at,
    BY: (event) => event.actorId,
    ACT: (event) => event.action,
    CHAT: (event) => event.chatId,
    DETAILS: (event) => JSON.stringify(event.detail ?? {}),
  },
});
