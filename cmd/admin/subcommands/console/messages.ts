import { toTable } from '../../text/table.ts';
import type { Subcommand } from '../subcommand.ts';
import { actSubcommand, readValues } from './room.ts';

interface Look {
  messages: {
    id: string;
    seq: number;
    sender: { id: string };
    text: string;
    createdAt: string;
    deleted?: { by: string };
    system?: string;
  }[];
  hasMore: boolean;
}

export const messages: Subcommand = {
  name: 'messages',
  summary: 'show the newest messages of a chat, which the audit log notes',
  help: '  --chat ID          the chat\n  --before NUMBER    only messages before this one',
  console: true,
  options: { chat: { type: 'string' }, before: { type: 'string' } },
  async run({ client, values, print, signal }) {
    const { chat = '', before = '' } = readValues(values, ['chat']);
    const path = `/admin/api/chats/${encodeURIComponent(chat)}/look`;
    const answer = await client.act<Look>(path, { beforeSeq: before }, signal);
    const rows = answer.messages.map(({ id, seq, sender, text, createdAt, deleted, system }) => [
      ...[seq, id, sender.id, createdAt],
      deleted ? `(deleted by ${deleted.by})` : system ? `(${system})` : quoted(text),
    ]);
    const more = answer.hasMore ? `\nmore: --before ${answer.messages[0]?.seq}` : '';
    print(`${toTable(['NUMBER', 'ID', 'SENDER', 'SENT', 'TEXT'], rows)}${more}`, answer);
  },
};

/** Nothing in a text may act on the terminal. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f]/g, (code) => `\\u00${code.charCodeAt(0).toString(16)}`);
}

export const deleteMessage = actSubcommand({
  name: 'delete-message',
  summary: 'delete one message, which nobody can restore',
  help: '  --chat ID          the chat\n  --message ID       the message\n  --reason TEXT      for the audit log',
  required: ['chat', 'message', 'reason'],
  path: ({ chat = '', message = '' }) =>
    `chats/${encodeURIComponent(chat)}/messages/${encodeURIComponent(message)}/delete`,
  body: ({ reason }) => ({ reason }),
});
