import type { ChatType } from '../model/chat.ts';
import type { ChatRole } from '../model/member.ts';
import type { Message } from '../model/message.ts';
import type { MessagePart } from '../model/message-part.ts';
import type { StreamEnd, StreamParts, StreamStart, StreamWrite } from '../model/stream-write.ts';
import type { TraceContext } from '../model/trace-context.ts';
import type { User } from '../model/user.ts';

/** A write with what it needs to be stored. */
export type NewStreamWrite = StreamWrite & {
  /** The span that writes it, if its trace is recorded. It is not stored. */
  trace?: TraceContext;
} & (
    | (StreamStart & {
        messageId: string /** A digest of the content, by which a repetition is recognised. */;
        contentHash: Buffer;
      })
    | StreamParts
    | StreamEnd
  );

export interface StreamRules {
  /** Members with one of these roles may stream messages. */
  sendingRoles: readonly ChatRole[];
  /** The longest text of a streamed message, in Unicode characters. */
  maxTextLength: number;
}

/**
 * The outcome of one write. For `repeated`, id, number and time are those of the message's beginning or newest streamed change. `epoch` is that of the
 * commit, or an earlier one. `busy`: another transaction has locked the chat.
 */
export type Streamed =
  | (StreamPlace & { outcome: 'stored'; epoch: string; what: StreamedState })
  | (StreamPlace & { outcome: 'repeated' })
  | { outcome: 'part_missing'; chatType?: ChatType; nextPart: number }
  | { outcome: StreamRefusal; chatType?: ChatType };

interface StreamPlace {
  messageId: string;
  seq: number;
  createdAt: Date;
  nextPart: number;
}

/** What readers get: of a beginning nothing that the writer does not know, of a part what was added, of an end the whole message. */
type StreamedState = { kind: 'start' } | { kind: 'part'; part: MessagePart } | { kind: 'end'; message: Message };

export type StreamRefusal =
  | 'reused'
  | 'chat_not_found'
  | 'not_a_member'
  | 'role_too_low'
  | 'message_not_found'
  | 'not_the_sender'
  | 'message_deleted'
  | 'not_streaming'
  | 'too_long'
  | 'not_idle'
  | 'busy';

/** A message whose sender was not heard for some time. */
export interface IdleStream {
  chatId: string;
  messageId: string;
  sender: User;
}

/** Stores streamed messages. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached. */
export interface StreamRepository {
  /**
   * Commits a batch in one statement, and returns an outcome for each write, in the order of the batch. If it throws, either nothing was stored or the
   * commit's answer was lost; every write can be tried again.
   *
   * Each stored write takes the next number of its chat. A batch must contain neither two writes of one message nor two starts with one clientMessageId of a
   * sender in a chat.
   *
   * Writes to a chat that another transaction has locked are `busy` and are not stored. Waits up to `lockWaitMs` (default: 0) for the lock of the first
   * chat of the batch, and for no other lock. Throws INVALID_ARGUMENT (INVALID_FIELDS) if PostgreSQL cannot hold a text of the batch.
   */
  appendBatch(batch: readonly NewStreamWrite[], rules: StreamRules, lockWaitMs?: number): Promise<Streamed[]>;

  /** Returns up to `limit` growing messages whose senders were not heard for `idleMs` milliseconds. */
  findIdle(idleMs: number, limit: number): Promise<IdleStream[]>;
}
