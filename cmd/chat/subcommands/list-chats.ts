import { Chat } from '../../../pkg/api/chat/v1/chat.ts';
import { chatPlace, userName } from '../text/format.ts';
import { plainLine, shorten } from '../text/plain-text.ts';
import type { Subcommand } from './subcommand.ts';

const maxPreview = 48;

export const listChats: Subcommand = {
  name: 'list-chats',
  parameters: '',
  positionals: { min: 0, max: 0 },
  summary: 'the chats one is in, with what is unread',
  options: {},
  async run({ client, print }) {
    for (const chat of await (await client()).chats()) {
      const { id, unreadCount, lastMessage } = chat;
      const unread = unreadCount > 0 ? ` (${unreadCount} unread)` : '';
      const from = lastMessage?.sender && lastMessage.text ? `${userName(lastMessage.sender)}: ` : '';
      const preview = shorten(plainLine(lastMessage?.text ?? ''), maxPreview);
      await print(`${id}  ${chatPlace(chat)}${unread}${preview && `  ${from}${preview}`}`, Chat.toJSON(chat) as object);
    }
  },
};
