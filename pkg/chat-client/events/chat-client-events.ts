import type { Chat, Limits, Message, RemovalReason, User } from '../../api/chat/v1/chat.ts';
import type { ChatClientError } from '../errors/chat-error.ts';
import type { PendingMessage } from '../messages/pending-message.ts';
import type { Receipt } from '../messages/receipt.ts';

export type ConnectionState =
  | { kind: 'connecting' }
  | { kind: 'online'; user: User; limits: Limits | undefined }
  /** Connects again by itself after that time. */
  | { kind: 'offline'; error: ChatClientError; retryInMs: number }
  /** Ended by `close`, or by an error that trying again cannot mend. */
  | { kind: 'closed'; error?: ChatClientError };

/** What a client can listen to. */
export type ChatClientEvents = {
  state: ConnectionState;
  /** A message of any of the user's chats, new or changed: each once, in the chat's order, across reconnections. */
  message: Message;
  /** The user became a member of a chat. */
  chatAdded: Chat;
  chatRemoved: { chatId: string; reason: RemovalReason };
  /** Everything that was missed in this chat has been delivered. */
  caughtUp: { chatId: string; seq: number };
  /** The service does not have the chat as far as this client has seen it (it was restored from a backup): look at its history anew. */
  reset: { chatId: string };
  /** Somebody else is typing: over after 6 seconds, or when their message comes. In small chats only, like `presence`. */
  typing: { chatId: string; user: User };
  /** Another member of the chat has come online, or has gone. */
  presence: { chatId: string; user: User; online: boolean };
  /** A member, or the user on another device, has read up to a number. */
  read: { chatId: string; userId: string; seq: number };
  /** A message of this client is durably kept; also one that was sent before a reload. */
  sent: PendingMessage & Receipt;
  /** A message of this client was refused for good; also one that was sent before a reload. */
  refused: PendingMessage & { error: ChatClientError };
};

/** With what only the client's own parts listen to. */
export type AllEvents = ChatClientEvents & {
  /** Messages of the chat up to a number may not have been told. */
  gap: { chatId: string; afterSeq: number };
};
