import type { MarkReadResponse, MarkUnreadResponse, Message, MessageReceipt, User } from '../api/chat/v1/chat.ts';
import type { DeleteOptions, EditOptions } from './messages/change-options.ts';
import type { ChangeReceipt, Receipt } from './messages/receipt.ts';
import type { SendOptions } from './messages/send-options.ts';
import type { StreamOptions } from './messages/stream-options.ts';
import type { MessageFeed, MessageFeedOptions } from './reading/message-feed.ts';

import type { MessageStream } from './sending/message-stream.ts';
import type { Tokens } from './sending/send-tokens.ts';

/** The operations of a client on one chat. `ChatClient.chat` returns it. */
export interface ChatHandle {
  /** The chat's id. */
  readonly id: string;
  /** As `ChatClient.send`. */
  send(text: string, options?: SendOptions): Promise<Receipt>;
  /** As `ChatClient.edit`. */
  edit(messageId: string, text: string, options?: EditOptions): Promise<ChangeReceipt>;
  /** As `ChatClient.delete`. */
  delete(messageId: string, options?: DeleteOptions): Promise<ChangeReceipt>;
  /** As `ChatClient.react`. */
  react(messageId: string, emoji: string): Promise<ChangeReceipt>;
  /** As `ChatClient.unreact`. */
  unreact(messageId: string, emoji: string): Promise<ChangeReceipt>;
  /** As `ChatClient.stream`. */
  stream(options?: StreamOptions): MessageStream;
  /** As `ChatClient.streamFrom`. */
  streamFrom(tokens: Tokens, options?: StreamOptions): Promise<Receipt>;
  /** As `ChatClient.stopStream`. */
  stopStream(messageId: string): Promise<void>;
  /** As `ChatClient.history`. */
  history(options?: { beforeSeq?: number; pageSize?: number }): Promise<Message[]>;
  /**
   * Returns a feed of the chat's messages: all messages after `afterSeq`, then live ones; without `afterSeq` only live ones. Each message comes once,
   * in the order of `seq` and in its newest state, across reconnections; the event `messageChanged` announces later changes. The feed ends when the
   * client is closed, the signal aborts, or the user's membership ends. It holds at most 1,000 live messages for a slow reader and reads the rest
   * from the history. The iteration throws ChatClientError if the service refuses to return the messages.
   *
   * @example
   * for await (const message of chat.messages({ afterSeq: 0 })) console.log(message.seq, message.text);
   */
  messages(options?: MessageFeedOptions): MessageFeed;
  /** As `ChatClient.markRead`. */
  markRead(seq: number): Promise<MarkReadResponse>;
  /** As `ChatClient.markUnread`. */
  markUnread(fromSeq: number): Promise<MarkUnreadResponse>;
  /** As `ChatClient.receipts`. */
  receipts(messageId: string): Promise<MessageReceipt[]>;
  /** As `ChatClient.mute`. */
  mute(until?: Date): Promise<void>;
  /** As `ChatClient.typing`. */
  typing(): void;
  /** As `ChatClient.onlineUsers`, for members of this chat. */
  onlineUsers(): Promise<User[]>;
}

/** The operations by chat id that a handle passes its chat to; ChatClient has them. */
interface ChatOperations {
  send(chatId: string, text: string, options?: SendOptions): Promise<Receipt>;
  edit(chatId: string, messageId: string, text: string, options?: EditOptions): Promise<ChangeReceipt>;
  delete(chatId: string, messageId: string, options?: DeleteOptions): Promise<ChangeReceipt>;
  react(chatId: string, messageId: string, emoji: string): Promise<ChangeReceipt>;
  unreact(chatId: string, messageId: string, emoji: string): Promise<ChangeReceipt>;
  stream(chatId: string, options?: StreamOptions): MessageStream;
  streamFrom(chatId: string, tokens: Tokens, options?: StreamOptions): Promise<Receipt>;
  stopStream(chatId: string, messageId: string): Promise<void>;
  history(chatId: string, options?: { beforeSeq?: number; pageSize?: number }): Promise<Message[]>;
  markRead(chatId: string, seq: number): Promise<MarkReadResponse>;
  markUnread(chatId: string, fromSeq: number): Promise<MarkUnreadResponse>;
  receipts(chatId: string, messageId: string): Promise<MessageReceipt[]>;
  mute(chatId: string, until?: Date): Promise<void>;
  typing(chatId: string): void;
  onlineUsers(chatId: string): Promise<User[]>;
}

/** Creates a handle that calls `client` with the chat's id. */
export function chatHandle(
  client: ChatOperations,
  id: string,
  messages: (options?: MessageFeedOptions) => MessageFeed,
): ChatHandle {
  return {
    id,
    send: (text, options) => client.send(id, text, options),
    edit: (messageId, text, options) => client.edit(id, messageId, text, options),
    delete: (messageId, options) => client.delete(id, messageId, options),
    react: (messageId, emoji) => client.react(id, messageId, emoji),
    unreact: (messageId, emoji) => client.unreact(id, messageId, emoji),
    stream: (options) => client.stream(id, options),
    streamFrom: (tokens, options) => client.streamFrom(id, tokens, options),
    stopStream: (messageId) => client.stopStream(id, messageId),
    history: (options) => client.history(id, options),
    messages,
    markRead: (seq) => client.markRead(id, seq),
    markUnread: (fromSeq) => client.markUnread(id, fromSeq),
    receipts: (messageId) => client.receipts(id, messageId),
    mute: (until) => client.mute(id, until),
    typing: () => client.typing(id),
    onlineUsers: () => client.onlineUsers(id),
  };
}
