import { actSubcommand, tableSubcommand } from './room.ts';

export const streams = tableSubcommand({
  name: 'streams',
  summary: 'list the open streams of this process, slow readers first',
  help: '  --user ID          only those of this user',
  parameters: { user: 'userId' },
  path: 'streams',
  rows: 'streams',
  columns: {
    ID: (stream) => stream.id,
    USER: (stream) => stream.userId,
    TRANSPORT: (stream) => stream.transport,
    OPENED: (stream) => stream.openedAt,
    WAITING: (stream) => stream.waitingBytes,
    CHATS: (stream) => stream.subscriptions,
  },
});

export const closeStream = actSubcommand({
  name: 'close-stream',
  summary: 'close a stream of this process; its client may connect again',
  help: '  --id ID            the stream\n  --reason TEXT      for the audit log',
  required: ['id'],
  optional: ['reason'],
  path: ({ id = '' }) => `streams/${encodeURIComponent(id)}/close`,
  body: ({ reason = '' }) => ({ reason }),
});
