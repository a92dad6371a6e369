import { Message } from '../../../pkg/api/chat/v1/chat.ts';
import { ChatClientError } from '../../../pkg/chat-client/index.ts';
import { messageLine } from '../text/format.ts';
import { enterChat } from './find-chat.ts';
import { type Subcommand, UsageError } from './subcommand.ts';

export const connectChat: Subcommand = {
  name: 'connect-chat',
  parameters: 'CHAT',
  positionals: { min: 1, max: 1 },
  summary: 'print the messages of a chat as they arrive, until interrupted; joins a room',
  help: `  --after SEQ        first everything after this number; 0: from the beginning
  --count N          end after N messages`,
  options: { after: { type: 'string' }, count: { type: 'string' } },
  untilInterrupted: true,
  async run({ options, client, print, signal }) {
    const afterSeq = readNumber('after', options.values.after);
    const count = readNumber('count', options.values.count) ?? Number.POSITIVE_INFINITY;
    const opened = await client();
    const chatId = await enterChat(opened, options.positionals[0]!);
    const { chat } = await opened.call('getChat', { chatId });
    if (!chat) throw new Error('the service left out the chat');
    const { id: userId } = await opened.connect({ patient: false });
    let shown = 0;
    if (count === 0) return;
    let ended: string | undefined;
    opened.on('chatRemoved', (removed) => {
      if (removed.chatId === chatId) ended = 'you are no longer in this chat, or it was deleted';
    });
    for await (const message of opened.chat(chatId).messages({ afterSeq, signal })) {
      const line = messageLine(message, chat, { userId, currentChatId: chatId });
      if (line !== undefined || options.json) await print(line ?? '', Message.toJSON(message) as object);
      shown += 1;
      if (shown === count) return;
    }
    if (ended !== undefined) throw new ChatClientError(ended, { code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND' });
  },
};

function readNumber(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^\d{1,15}$/.test(value)) throw new UsageError(`--${name} must be a number`);
  return Number(value);
}
