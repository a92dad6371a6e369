import type { Chat, Message } from '../../api/chat/v1/chat.ts';

/**
 * Returns the chat as it is after a message: the system message `chatUpdated` tells a new name, description or data. Any other message changes none of
 * them.
 *
 * @example
 * client.on('message', (message) => (chat = withChatUpdate(chat, message)));
 */
export function withChatUpdate<T extends Chat>(chat: T, { system }: Message): T {
  if (system?.event?.$case !== 'chatUpdated') return chat;
  const { name = chat.name, description = chat.description, data = chat.data } = system.event.value;
  return { ...chat, name, description, data };
}
