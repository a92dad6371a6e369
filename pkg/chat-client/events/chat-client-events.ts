import type {
  Chat,
  Limits,
  Message,
  MessagePart,
  ReactionChanged,
  RemovalReason,
  User,
} from '../../api/chat/v1/chat.ts';
import type { ChatClientError } from '../errors/chat-error.ts';
import type { PendingChange } from '../messages/pending-change.ts';
import type { PendingMessage } from '../messages/pending-message.ts';
import type { ChangeReceipt, Receipt } from '../messages/receipt.ts';

/** The state of a client's connection, by `kind`. */
export type ConnectionState =
  | { kind: 'connecting' }
  | { kind: 'online'; user: User; limits: Limits | undefined }
  /** The connection was lost or could not be made. The client tries again after `retryInMs` milliseconds. */
  | { kind: 'offline'; error: ChatClientError; retryInMs: number }
  /** The client was closed, by `close` or by an error that retrying cannot solve. `error` is set in the second case. */
  | { kind: 'closed'; error?: ChatClientError };

/** The events of a client and the values that listeners receive. */
export type ChatClientEvents = {
  /** The state of the connection changed. */
  state: ConnectionState;
  /**
   * A message of one of the user's chats was sent. Each comes once, in the chat's order, across reconnections. It has its newest state: if it was
   * changed before this delivery, `updateSeq` is greater than `seq`.
   */
  message: Message;
  /**
   * A message was edited or deleted; this is its new state. Messages and changes of a chat come in the order of their numbers. A change that
   * another one replaced while the client was offline does not come; nor does one that `message` has brought already, unless more than 1,000
   * messages were changed before their delivery. A state with an `updateSeq` that you have already is nothing new.
   */
  messageChanged: Message;
  /**
   * A user reacted to a message, or took the reaction back; `withReaction` puts it into the message. Comes in the order of the chat's numbers. One that
   * another one of the user replaced while the client was offline does not come.
   */
  reaction: ReactionChanged;
  /**
   * A streamed message has grown by `text`. `withPart` adds it to the message. Parts come in the order of their numbers, among messages and changes. When
   * the message is complete, `messageChanged` brings the whole of it.
   */
  messagePart: MessagePart;
  /** A member asks the user to end a streamed message. A `MessageStream` of this client has heard it already. */
  stopRequested: { chatId: string; messageId: string; user: User };
  /** The user became a member of a chat. */
  chatAdded: Chat;
  /** The user's membership of a chat ended, or the chat was deleted. */
  chatRemoved: { chatId: string; reason: RemovalReason };
  /** Every message of this chat that the client missed has been delivered. */
  caughtUp: { chatId: string; seq: number };
  /**
   * The service's database has gone back, by a failover or a restore, and may lack messages and changes that this client has seen. Read the chat's
   * history again.
   */
  reset: { chatId: string };
  /** Another member is typing; it is over after 6 seconds or when their message arrives. Only in small chats, like `presence`. */
  typing: { chatId: string; user: User };
  /** Another member of the chat came online or went offline. */
  presence: { chatId: string; user: User; online: boolean };
  /**
   * A member, or the user on another device, has read every message up to `seq`. The mark may have moved back: of two states of it, the one with the
   * greater `generation` is newer, and with the same generation the one with the greater `seq`. The user's own mark also comes, without having moved, when
   * the user has muted the chat on another device: `call('getChat', …)` tells until when.
   */
  read: { chatId: string; userId: string; seq: number; generation: number };
  /** A device of a member has received every message up to `seq`. Only in small chats. */
  delivered: { chatId: string; userId: string; seq: number };
  /** Another client of the user, which is gone, has left an unanswered message or change in the outbox; this client sends it. */
  takenOver: PendingMessage | PendingChange;
  /** The service stored a message of this client durably. Also emitted for messages that were sent before a reload. */
  sent: PendingMessage & Receipt;
  /** The service refused a message of this client permanently. Also emitted for messages that were sent before a reload. */
  refused: PendingMessage & { error: ChatClientError };
  /** The service stored an edit, deletion or reaction of this client durably. Also emitted for those that were requested before a reload. */
  changeSent: PendingChange & ChangeReceipt;
  /** The service refused an edit, deletion or reaction of this client permanently. Also emitted for those that were requested before a reload. */
  changeRefused: PendingChange & { error: ChatClientError };
};

/** The public events and those that only parts of the SDK listen to. */
export type AllEvents = ChatClientEvents & {
  /** The client may have missed messages of the chat up to `afterSeq`. The numbers that follow on the stream are of `epoch`. */
  gap: { chatId: string; afterSeq: number; epoch: string };
  /** A new epoch has begun: numbers of the chat after `fromSeq` may belong to other messages than before. `epoch` is empty if it is not known yet. */
  epoch: { chatId: string; epoch: string; fromSeq: number };
  /** Under these numbers there is nothing that the client lacks. */
  covered: { chatId: string; fromSeq: number; toSeq: number };
};
