import { findChatId } from './find-chat.ts';
import type { Subcommand } from './subcommand.ts';

export const deleteChat: Subcommand = {
  name: 'delete-chat',
  parameters: 'CHAT',
  positionals: { min: 1, max: 1 },
  summary: 'delete a chat with all of its messages, for everyone; only an owner may',
  options: {},
  async run({ options, client, print }) {
    const opened = await client();
    const chatId = await findChatId(opened, options.positionals[0]!);
    await opened.call('deleteChat', { chatId });
    await print(`Deleted ${chatId}`, { chatId });
  },
};
