import { Message } from '../../../pkg/api/chat/v1/chat.ts';
import { messageLine } from '../text/format.ts';
import { findChatId } from './find-chat.ts';
import { type Subcommand, UsageError } from './subcommand.ts';

const pageSize = 50;

export const history: Subcommand = {
  name: 'history',
  parameters: 'CHAT [N]',
  positionals: { min: 1, max: 2 },
  summary: 'the last N messages of a chat, oldest first (default 20)',
  options: {},
  async run({ options, client, print }) {
    const [name = '', count = '20'] = options.positionals;
    if (!/^[1-9]\d{0,6}$/.test(count)) throw new UsageError('N must be a number from 1');
    const opened = await client();
    const chatId = await findChatId(opened, name);
    const { chat } = await opened.call('getChat', { chatId });
    if (!chat) throw new Error('the service left out the chat');
    let messages: Message[] = [];
    while (messages.length < Number(count)) {
      const size = Math.min(pageSize, Number(count) - messages.length);
      const page = await opened.history(chatId, { beforeSeq: messages[0]?.seq, pageSize: size });
      messages = [...page, ...messages];
      if (page.length < size) break;
    }
    for (const message of messages) {
      const line = messageLine(message, chat, { userId: '', currentChatId: chatId });
      if (line !== undefined || options.json) await print(line ?? '', Message.toJSON(message) as object);
    }
  },
};
