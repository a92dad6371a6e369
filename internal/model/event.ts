import type { Chat } from './chat.ts';
import type { Entry } from './entry.ts';
import type { EphemeralEvent } from './ephemeral-event.ts';
import type { ChatError } from './errors.ts';
import type { Receipt } from './message.ts';
import type { User } from './user.ts';

/** One event of a stream. */
export type Event =
  | { kind: 'welcome'; sessionId: string; user: User; limits: SessionLimits; tokenExpiresAt: Date }
  | { kind: 'subscribed'; commandId: string; chatId: string; headSeq: number; afterSeq: number; epoch: string }
  | { kind: 'reset'; chatId: string; epoch: string; fromSeq: number }
  | { kind: 'caught_up'; chatId: string; seq: number }
  | Entry
  | { kind: 'chat_added'; chat: Chat }
  | { kind: 'chat_removed'; chatId: string; reason: RemovalReason }
  | { kind: 'accepted'; commandId: string; receipt?: Receipt }
  | { kind: 'rejected'; commandId: string; error: ChatError }
  | { kind: 'pong'; commandId: string }
  | { kind: 'closing'; reason: CloseReason; retryAfterMs: number }
  | EphemeralEvent;

export type RemovalReason = 'UNKNOWN' | 'LEFT' | 'REMOVED' | 'DELETED' | 'BANNED';

export type CloseReason = 'DRAINING' | 'TOKEN_EXPIRED' | 'PROTOCOL_ERROR' | 'SESSION_REVOKED' | 'BANNED';

/** The limits of a session, as `welcome` reports them. */
export interface SessionLimits {
  /** The longest text of a message, in Unicode characters. */
  maxTextLength: number;
  maxFrameBytes: number;
  maxCommandsPerFrame: number;
  maxSubscriptions: number;
}
