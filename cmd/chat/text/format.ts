import {
  type Chat,
  ChatRole,
  ChatType,
  type Message,
  MessageStreaming,
  textParts,
  type User,
} from '../../../pkg/chat-client/index.ts';
import { plainLine, plainName, plainText, shorten } from './plain-text.ts';
import { plainStyle, type Style } from './style.ts';

/** The most characters of a message that a reply to it shows. */
const maxQuote = 40;

/** The user at the screen, and the current chat. */
export interface Viewpoint {
  userId: string;
  currentChatId: string | undefined;
}

/** A user's name, or the id of a user without a known name. */
export function userName({ name, id }: User): string {
  return plainName(name || id.replace(/^guest:/, ''));
}

/** A chat's name by itself: `development`, `@bob`, `"Lunch crew"`. */
export function chatTitle(chat: Chat): string {
  if (chat.type === ChatType.DIRECT) return `@${chat.peer ? userName(chat.peer) : '?'}`;
  const name = plainName(chat.name);
  return chat.type === ChatType.GROUP ? `"${name.replaceAll('"', "'")}"` : name;
}

/** A chat's name within a text: `#development`, `@bob`, `"Lunch crew"`. */
export function chatPlace(chat: Chat): string {
  return chat.type === ChatType.ROOM ? `#${chatTitle(chat)}` : chatTitle(chat);
}

/** A line from the program itself. The text must be plain. */
export function systemLine(text: string, { dim }: Style = plainStyle): string {
  return dim(`[System] ${text}`);
}

/** The acknowledgement of the user's own message. `original`: the message that it replies to. */
export function sentLine(chat: Chat, text: string, style: Style = plainStyle, original?: Message): string {
  const about = original ? `${style.dim(quoteText(original))} ` : '';
  return `${style.dim(`[Sent to ${chatTitle(chat)}]`)} ${about}${body(text)}`;
}

/** The lines of a message; undefined if it has nothing to show. `original`: the message that it replies to, if it is known. */
export function messageLine(
  message: Message,
  chat: Chat,
  view: Viewpoint,
  style: Style = plainStyle,
  now = new Date(),
  original?: Message,
): string | undefined {
  if (message.system) {
    const text = systemText(message, chat, view.userId);
    return text === undefined ? undefined : systemLine(text, style);
  }
  const { sender = { id: '', name: '' }, createdAt = now } = message;
  const time = style.dim(`[${formatTime(createdAt, now)}]`);
  const from = style.name(`[${userName(sender)}]`, sender.id);
  const text = `${aboutText(message, original, style)}${stateText(message, view.userId, style)}`;
  if (chat.id === view.currentChatId) return `${time}${from} ${text}`;
  const byPeer = chat.type === ChatType.DIRECT && chat.peer?.id === sender.id;
  if (byPeer) return `${time}${style.name(`[${chatPlace(chat)}]`, sender.id)} ${text}`;
  return `${time}[${chatPlace(chat)}]${from} ${text}`;
}

/** The lines that tell the present state of a message of the current chat which was shown before. */
export function changeLine(message: Message, style: Style = plainStyle, now = new Date()): string {
  const { sender = { id: '', name: '' }, createdAt = now, deletedAt } = message;
  const what = deletedAt ? 'Deleted' : 'Edited';
  const which = style.dim(`[${what}: ${formatTime(createdAt, now)}]`);
  return `${which}${style.name(`[${userName(sender)}]`, sender.id)}${deletedAt ? '' : ` ${body(message.text)}`}`;
}

/** The acknowledgement of the user's own edit or deletion. `text` is that of the message, before it was deleted. */
export function changedLine(kind: 'edit' | 'delete', chat: Chat, text: string, { dim }: Style = plainStyle): string {
  return `${dim(`[${kind === 'edit' ? 'Edited' : 'Deleted'} in ${chatTitle(chat)}]`)} ${body(text)}`;
}

/** What a message is about: `(to bob: Hey te…) `. Without the original, its number. */
function aboutText({ replyTo, rootId }: Message, original: Message | undefined, { dim }: Style): string {
  if (replyTo) return `${dim(original ? quoteText(original) : `(to #${replyTo.seq})`)} `;
  return rootId === '' ? '' : `${dim('(in a thread)')} `;
}

function quoteText({ sender = { id: '', name: '' }, text, deletedAt }: Message): string {
  return deletedAt ? '(to a deleted message)' : `(to ${userName(sender)}: ${shorten(plainLine(text), maxQuote)})`;
}

function stateText(message: Message, userId: string, { bold, dim, mark }: Style): string {
  const { editedAt, deletedAt, sender, streaming } = message;
  if (deletedAt) return dim('(deleted)');
  const parts = textParts(message).map(({ text, mention }) => {
    if (!mention) return body(text);
    const isOwn = sender?.id !== userId && (mention.everyone || mention.userId === userId);
    return isOwn ? mark(body(text)) : bold(body(text));
  });
  const text = parts.join('');
  if (editedAt) return `${text} ${dim('(edited)')}`;
  if (streaming === MessageStreaming.STREAMING) return `${text} ${dim('…')}`;
  return streaming === MessageStreaming.CANCELLED ? `${text} ${dim('(breaks off)')}` : text;
}

/** ` (3 unread, 1 mention, muted)`; empty if there is nothing to say. */
export function unreadNote({ unreadCount, mentionCount, mutedUntil }: Chat, now = new Date()): string {
  const notes = [
    ...(unreadCount > 0 ? [`${unreadCount} unread`] : []),
    ...(mentionCount > 0 ? [`${mentionCount} mention${mentionCount === 1 ? '' : 's'}`] : []),
    ...(mutedUntil && mutedUntil > now ? ['muted'] : []),
  ];
  return notes.length > 0 ? ` (${notes.join(', ')})` : '';
}

/** Whether the text is still being written. */
export function isGrowing({ streaming }: Message): boolean {
  return streaming === MessageStreaming.STREAMING;
}

/** `12:03:04` in local time, after the date unless it is today's. */
export function formatTime(date: Date, now = new Date()): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':');
  if (date.toDateString() === now.toDateString()) return time;
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${time}`;
}

/** Marks the lines after the first, so that none of them can pass for a message of its own. */
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
    case 'chatUpdated': {
      const { name, description } = event.value;
      if (name !== undefined) return `${actor} named ${place} "${plainName(name)}"`;
      if (description === '') return `${actor} cleared the description of ${place}`;
      if (description !== undefined) return `${actor} changed the description of ${place}: ${body(description)}`;
      return `${actor} changed the data of ${place}`;
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
    // A role that this program does not know is at least that of a member.
    default:
      return 'a member';
  }
}
