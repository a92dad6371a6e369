export {
  type Chat,
  ChatRole,
  ChatType,
  CloseReason,
  type FollowedThread,
  type Limits,
  type ListMentionsResponse,
  type MarkReadResponse,
  type MarkUnreadResponse,
  type Member,
  type Mention,
  type Message,
  type MessagePart,
  type MessageReceipt,
  type MessageReference,
  MessageStreaming,
  type MessageVersion,
  type Reaction,
  type ReactionChanged,
  type ReactionCount,
  RemovalReason,
  type SystemMessage,
  type ThreadSummary,
  type User,
} from '../api/chat/v1/chat.ts';
export { accessToken, account, guest, refreshToken, type Token, type TokenSource } from './auth/token-source.ts';
export { ChatClient, type ChatClientOptions } from './chat-client.ts';
export type { ChatHandle } from './chat-handle.ts';
export { ChatClientError } from './errors/chat-error.ts';
export type { ChatClientEvents, ConnectionState } from './events/chat-client-events.ts';
export { newId } from './ids/new-id.ts';
export type { ChangeOptions, DeleteOptions, EditOptions } from './messages/change-options.ts';
export { findMentions, isMentioned, type TextPart, textParts } from './messages/mentions.ts';
export type { PendingChange, PendingDeletion, PendingEdit, PendingReaction } from './messages/pending-change.ts';
export type { PendingMessage } from './messages/pending-message.ts';
export type { ChangeReceipt, Receipt } from './messages/receipt.ts';
export type { SendOptions } from './messages/send-options.ts';
export type { StreamOptions } from './messages/stream-options.ts';
export { withChatUpdate } from './messages/with-chat-update.ts';
export { withPart } from './messages/with-part.ts';
export { withReaction } from './messages/with-reaction.ts';
export { withReply } from './messages/with-reply.ts';
export type { MessageFeed, MessageFeedOptions } from './reading/message-feed.ts';
export { MessageStream } from './sending/message-stream.ts';
export { type Outbox, type WebStorage, webStorageOutbox } from './sending/outbox.ts';
export type { Tokens } from './sending/send-tokens.ts';
export type { Tabs } from './sending/tabs.ts';
export { anyOf } from './transports/any-of.ts';
export type { AuthCalls, ChatCalls, Stream, Transport } from './transports/transport.ts';
export type { WebSocketConstructor, WebSocketLike } from './transports/web-socket-stream.ts';
export { type WebSocketTransportOptions, webSocketTransport } from './transports/web-socket-transport.ts';
