import { Chat } from '../../../pkg/api/chat/v1/chat.ts';
import { ChatType } from '../../../pkg/chat-client/index.ts';
import { findUserId } from '../service/people.ts';
import { chatPlace } from '../text/format.ts';
import { type Subcommand, UsageError } from './subcommand.ts';

export const createChat: Subcommand = {
  name: 'create-chat',
  parameters: '[USER ...]',
  positionals: { min: 0, max: 1_000 },
  summary: 'a direct chat with USER, a group of them (--group), or a room (--room); prints its id',
  help: `  --group TITLE      a private group with the users
  --room NAME        a public room by that name, with the users as members`,
  options: { group: { type: 'string' }, room: { type: 'string' } },
  async run({ options, client, print }) {
    const { group, room } = options.values;
    if (group !== undefined && room !== undefined) throw new UsageError('either --group or --room');
    const isDirect = group === undefined && room === undefined;
    if (isDirect && options.positionals.length !== 1) {
      throw new UsageError('a direct chat is with one USER; for more give --group TITLE');
    }
    const opened = await client();
    const memberIds: string[] = [];
    for (const user of options.positionals) memberIds.push(await findUserId(opened, user));
    const type = isDirect ? ChatType.DIRECT : group === undefined ? ChatType.ROOM : ChatType.GROUP;
    const name = String(group ?? room ?? '');
    const { chat, created } = await opened.call('createChat', { type, name, memberIds });
    if (!chat) throw new Error('the service left out the chat');
    await print(`${chat.id}  ${chatPlace(chat)}${created ? '' : ' (there was one already)'}`, {
      ...(Chat.toJSON(chat) as object),
      created,
    });
  },
};
