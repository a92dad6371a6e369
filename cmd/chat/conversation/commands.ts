import type { CurrentChat } from './current-chat.ts';

/** A command: what can be typed after a slash. */
export interface Command {
  name: string;
  /** Its parameters, one word each: `<room>` is required, `[filter]` is optional. The last one can be `<text>` or `[text]`, the rest of the line. */
  parameters: string;
  summary: string;
  /** What the parameter is the name of, for completion. */
  completes?: 'room' | 'user' | 'chat';
  /** Runs at once, before lines that are waiting, and also without the service. */
  local?: boolean;
  /** Goes to another chat. */
  moves?: boolean;
  /** `messageSeq` is the parameter `[#n]` or `<#n|last>`: the number of a message. Without it the last one is meant. */
  run(conversation: CurrentChat, argument: string, messageSeq?: number): Promise<void> | void;
}

/** All commands, in the order of `/help`. */
export const commands: readonly Command[] = [
  {
    name: 'help',
    parameters: '',
    summary: 'this list',
    local: true,
    run: (conversation) => conversation.say(helpText()),
  },
  {
    name: 'users',
    parameters: '[room]',
    summary: 'who is online, or online in a room',
    completes: 'room',
    run: (conversation, room) => conversation.listUsers(room),
  },
  {
    name: 'rooms',
    parameters: '[filter]',
    summary: 'the rooms, or those whose name contains the filter',
    run: (conversation, filter) => conversation.listRooms(filter),
  },
  {
    name: 'join',
    parameters: '<room>',
    summary: 'go to a room; creates it if there is none',
    completes: 'room',
    moves: true,
    run: (conversation, room) => conversation.joinRoom(room),
  },
  {
    name: 'leave',
    parameters: '',
    summary: 'leave this room and return to global',
    moves: true,
    run: (conversation) => conversation.leave(),
  },
  {
    name: 'dm',
    parameters: '<user>',
    summary: 'talk to one user',
    completes: 'user',
    moves: true,
    run: (conversation, user) => conversation.openDirect(user),
  },
  {
    name: 'chats',
    parameters: '',
    summary: 'the chats you are in, with what is unread',
    run: (conversation) => conversation.listChats(),
  },
  {
    name: 'switch',
    parameters: '<chat>',
    summary: 'go to one of them: its number, #room, @user or id',
    completes: 'chat',
    moves: true,
    run: (conversation, chat) => conversation.switchTo(chat),
  },
  {
    name: 'members',
    parameters: '',
    summary: 'who is in this chat, with their roles',
    run: (conversation) => conversation.listMembers(),
  },
  {
    name: 'whoami',
    parameters: '',
    summary: 'your name and id',
    local: true,
    run: (conversation) => conversation.tellWho(),
  },
  {
    name: 'history',
    parameters: '[n]',
    summary: 'the last messages here, 20 unless given',
    run: (conversation, count) => conversation.showHistory(count === '' ? 20 : Number(count)),
  },
  {
    name: 'edit',
    parameters: '[#n] <text>',
    summary: 'replace your last message, or n of /history',
    run: (conversation, text, number) => conversation.edit(number, text),
  },
  {
    name: 'delete',
    parameters: '[#n]',
    summary: 'delete your last message, or n of /history',
    run: (conversation, _, number) => conversation.delete(number),
  },
  {
    name: 'reply',
    parameters: '<#n|last> <text>',
    summary: 'reply to message n, or to the last one',
    run: (conversation, text, number) => conversation.reply(number, text),
  },
  {
    name: 'react',
    parameters: '<#n|last> <emoji>',
    summary: 'react to a message, or take it back',
    run: (conversation, emoji, number) => conversation.react(number, emoji),
  },
  {
    name: 'thread',
    parameters: '<#n|last> [text]',
    summary: 'show a thread; with a text, write in it',
    run: (conversation, text, number) => conversation.thread(number, text),
  },
  {
    name: 'mentions',
    parameters: '',
    summary: 'the newest messages that mention you',
    run: (conversation) => conversation.listMentions(),
  },
  {
    name: 'unread',
    parameters: '[#n]',
    summary: 'make the last message unread, or all from n on',
    run: (conversation, _, number) => conversation.markUnread(number),
  },
  {
    name: 'mute',
    parameters: '[hours]',
    summary: 'count only mentions here (8 hours; 0 ends it)',
    run: (conversation, hours) => conversation.mute(hours === '' ? 8 : Number(hours)),
  },
  {
    name: 'exit',
    parameters: '',
    summary: 'end the program',
    local: true,
    run: (conversation) => conversation.exit(),
  },
];

/** `/join <room>` */
export function usageOf({ name, parameters }: Command): string {
  return `/${name} ${parameters}`.trim();
}

/** The commands with their summaries, and how to send text. */
export function helpText(): string {
  const rows: [string, string][] = commands.map((command) => [usageOf(command), command.summary]);
  rows.push(['//text', 'send a text that begins with a slash'], ['text', 'send it to this room or user']);
  const width = Math.max(...rows.map(([usage]) => usage.length));
  return ['Commands:', ...rows.map(([usage, summary]) => `  ${usage.padEnd(width)}  ${summary}`)].join('\n');
}
