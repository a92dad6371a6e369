import { type Chat, ChatRole, ChatType, type Message, type User } from '../../../pkg/chat-client/index.ts';
import { plainName, plainText } from './plain-text.ts';
import { plainStyle, type Style } from './style.ts';

/** What is meant for whom: whose screen it is, and which chat is the current one. */
export interface Viewpoint {
  userId: string;
  currentChatId: string | undefined;
}

/** A user's name; of one who was never seen, the id. */
export function userName({ name, id }: User): string {
  return plainName(name || id.replace(/^guest:/, ''));
}

/** A chat by itself: `development`, `@bob`, `"Lunch crew"`. */
export function chatTitle(chat: Chat): string {
  if (chat.type === ChatType.DIRECT) return `@${chat.peer ? userName(chat.peer) : '?'}`;
  const name = plainName(chat.name);
  return chat.type === ChatType.GROUP ? `"${name.replaceAll('"', "'")}"` : name;
}

/** A chat among other things: `#development`, `@bob`, `"Lunch crew"`. */
export function chatPlace(chat: Chat): string {
  return chat.type === ChatType.ROOM ? `#${chatTitle(chat)}` : chatTitle(chat);
}

/** What the program itself says. The text must be plain. */
export function systemLine(text: string, { dim }: Style = plainStyle): string {
  return dim(`[System] ${text}`);
}

/** The acknowledgement of a message of one's own. */
export function sentLine(chat: Chat, text: string, { dim }: Style = plainStyle): string {
  return `${dim(`[Sent to ${chatTitle(chat)}]`)} ${body(text)}`;
}

/** One message; undefined if there is nothing in it to be shown. */
export function messageLine(
  message: Message,
  chat: Chat,
  view: Viewpoint,
  style: Style = plainStyle,
  now = new Date(),
): string | undefined {
  if (message.system) {
    const text = systemText(message, chat, view.userId);
    return text === undefined ? undefined : systemLine(text, style);
  }
  const { sender = { id: '', name: '' }, createdAt = now, text } = message;
  const time = style.dim(`[${formatTime(createdAt, now)}]`);
  const from = style.name(`[${userName(sender)}]`, sender.id);
  if (chat.id === view.currentChatId) return `${time}${from} ${body(text)}`;
  const byPeer = chat.type === ChatType.DIRECT && chat.peer?.id === sender.id;
  if (byPeer) return `${time}${style.name(`[${chatPlace(chat)}]`, sender.id)} ${body(text)}`;
  return `${time}[${chatPlace(chat)}]${from} ${body(text)}`;
}

/** `12:03:04`, with the date in front unless it is today's; local. */
export function formatTime(date: Date, now = new Date()): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':');
  if (date.toDateString() === now.toDateString()) return time;
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${time}`;
}

/** Lines after the first are marked, so that none of them can pass for a line of its own. */
export function body(text: string): string {
  return plainText(text).replaceAll('\n', '\n  | ');
}

function systemText(
  { system, sender = { id: '', name: '' } }: Message,
  chat: Chat,
  userId: string,
): string | undefined {
  const event = system?.event;
  const place = chatPlace(chat);
  const own = sender.id === userId;
  const actor = own ? 'You' : userName(sender);
  const named = (user: User | undefined) => (user?.id === userId ? 'you' : userName(user ?? { id: '?', name: '' }));
  switch (event?.$case) {
    case 'chatCreated':
      if (chat.type !== ChatType.DIRECT) return `${actor} created ${place}`;
      return `${actor} started a direct chat with ${own ? place : 'you'}`;
    case 'memberJoined':
      return `${actor} joined ${place}`;
    case 'memberLeft':
      return `${actor} left ${place}`;
    case 'membersAdded':
      return `${actor} added ${event.value.users.map(named).join(', ')} to ${place}`;
    case 'memberRemoved':
      return `${actor} ${event.value.banned ? 'banned' : 'removed'} ${named(event.value.user)} from ${place}`;
    case 'roleChanged':
      return `${actor} made ${named(event.value.user)} ${roleName(event.value.role)} of ${place}`;
    case 'ownerChanged': {
      const owner = named(event.value.user);
      return owner === 'you' ? `You are the owner of ${place} now` : `${owner} is the owner of ${place} now`;
    }
    case undefined:
      return undefined;
    default:
      return event satisfies never;
  }
}

/** `an owner` */
export function roleName(role: ChatRole): string {
  switch (role) {
    case ChatRole.OWNER:
      return 'an owner';
    case ChatRole.ADMIN:
      return 'an administrator';
    case ChatRole.READER:
      return 'a reader';
    // A role that this program is too old for is that of a member, at least.
    default:
      return 'a member';
  }
}
