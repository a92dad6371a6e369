import { type Chat, ChatRole, ChatType, type Message, MessageStreaming } from '../../../../pkg/chat-client/index.ts';

/** Whether the user may edit the message, which is not growing any more. The service may limit the time for it. */
export function mayEdit(
  { sender, system, deletedAt, streaming }: Message,
  { ownRole }: Pick<Chat, 'ownRole'>,
  ownId: string,
): boolean {
  const mayChange = !system && !deletedAt && streaming !== MessageStreaming.STREAMING;
  return mayChange && sender?.id === ownId && ownRole > ChatRole.READER;
}

/** Whether the message can be unread: it is of somebody else. */
export function mayMarkUnread({ sender, system, deletedAt }: Message, ownId: string): boolean {
  return !system && !deletedAt && sender?.id !== ownId;
}

/** Whether the user may delete the message: their own, and as a moderator of a group or room those of others. */
export function mayDelete(
  { sender, system, deletedAt }: Message,
  chat: Pick<Chat, 'type' | 'ownRole'>,
  ownId: string,
): boolean {
  const moderates = chat.type !== ChatType.DIRECT && chat.ownRole >= ChatRole.ADMIN;
  return !system && !deletedAt && (sender?.id === ownId || moderates);
}
