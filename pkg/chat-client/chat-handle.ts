import type { MarkReadResponse, Message, User } from '../api/chat/v1/chat.ts';
import type { Receipt } from './messages/receipt.ts';
import type { MessageFeed, MessageFeedOptions } from './reading/message-feed.ts';

/** What a client does in one chat. */
export interface ChatHandle {
  readonly id: string;
  /** As `ChatClient.send`. */
  send(text: string, clientMessageId?: string): Promise<Receipt>;
  /** As `ChatClient.history`. */
  history(options?: { beforeSeq?: number; pageSize?: number }): Promise<Message[]>;
  /**
   * Every message after a number, each once and in order, then live, across reconnections; without a number only what comes from now on. It
   * ends when the client is closed, the signal aborts, or the user is no longer in the chat. However slow its reader is, it keeps at most
   * some 1,000 messages: it then reads on in the history. Throws ChatClientError when that is refused.
   */
  messages(options?: MessageFeedOptions): MessageFeed;
  /** As `ChatClient.markRead`. */
  markRead(seq: number): Promise<MarkReadResponse>;
  /** As `ChatClient.typing`. */
  typing(): void;
  /** The members with an open stream, by user id. */
  onlineUsers(): Promise<User[]>;
}

/** The operations by chat id that a handle passes its chat to; ChatClient has them. */
interface ChatOperations {
  send(chatId: string, text: string, clientMessageId?: string): Promise<Receipt>;
  history(chatId: string, options?: { beforeSeq?: number; pageSize?: number }): Promise<Message[]>;
  markRead(chatId: string, seq: number): Promise<MarkReadResponse>;
  typing(chatId: string): void;
  onlineUsers(chatId: string): Promise<User[]>;
}

export function chatHandle(
  client: ChatOperations,
  id: string,
  messages: (options?: MessageFeedOptions) => MessageFeed,
): ChatHandle {
  return {
    id,
    send: (text, clientMessageId) => client.send(id, text, clientMessageId),
    history: (options) => client.history(id, options),
    messages,
    markRead: (seq) => client.markRead(id, seq),
    typing: () => client.typing(id),
    onlineUsers: () => client.onlineUsers(id),
  };
}
