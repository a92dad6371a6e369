export {
  type Chat,
  ChatRole,
  ChatType,
  CloseReason,
  type Limits,
  type MarkReadResponse,
  type Member,
  type Message,
  RemovalReason,
  type SystemMessage,
  type User,
} from '../api/chat/v1/chat.ts';
export { anyOf } from './any-of.ts';
export { ChatClient, type ChatClientOptions } from './chat-client.ts';
export type { ChatClientEvents, ConnectionState } from './chat-client-events.ts';
export { ChatClientError } from './chat-error.ts';
export type { ChatHandle } from './chat-handle.ts';
export type { MessageFeed, MessageFeedOptions } from './message-feed.ts';
export { newId } from './new-id.ts';
export { type Outbox, type PendingMessage, type WebStorage, webStorageOutbox } from './outbox.ts';
export type { Receipt } from './pending-sends.ts';
export { accessToken, account, guest, refreshToken, type Token, type TokenSource } from './token-source.ts';
export type { AuthCalls, ChatCalls, Stream, Transport } from './transport.ts';
export type { WebSocketConstructor, WebSocketLike } from './web-socket-stream.ts';
export { type WebSocketTransportOptions, webSocketTransport } from './web-socket-transport.ts';
