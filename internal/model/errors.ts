/** The closed list of error codes: the gRPC codes that this service uses. */
export type ErrorCode =
  | 'CANCELLED'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED';

/** Every error reason with its code. Clients may depend on the reasons; docs/errors.md explains each. */
export const reasons = {
  INVALID_FIELDS: 'INVALID_ARGUMENT',
  MALFORMED_FRAME: 'INVALID_ARGUMENT',
  TOKEN_MISSING: 'UNAUTHENTICATED',
  TOKEN_INVALID: 'UNAUTHENTICATED',
  TOKEN_EXPIRED: 'UNAUTHENTICATED',
  SESSION_REVOKED: 'UNAUTHENTICATED',
  WRONG_CREDENTIALS: 'UNAUTHENTICATED',
  REFRESH_TOKEN_INVALID: 'UNAUTHENTICATED',
  REFRESH_TOKEN_REUSED: 'UNAUTHENTICATED',
  METHOD_NOT_ALLOWED: 'PERMISSION_DENIED',
  NOT_A_MEMBER: 'PERMISSION_DENIED',
  ROLE_TOO_LOW: 'PERMISSION_DENIED',
  OTHER_USERS_TOKEN: 'PERMISSION_DENIED',
  BANNED: 'PERMISSION_DENIED',
  BANNED_FROM_CHAT: 'PERMISSION_DENIED',
  NOT_THE_SENDER: 'PERMISSION_DENIED',
  WRONG_PASSWORD: 'PERMISSION_DENIED',
  CHAT_NOT_FOUND: 'NOT_FOUND',
  ROOM_NOT_FOUND: 'NOT_FOUND',
  MEMBER_NOT_FOUND: 'NOT_FOUND',
  MESSAGE_NOT_FOUND: 'NOT_FOUND',
  NOT_SUBSCRIBED: 'NOT_FOUND',
  BAN_NOT_FOUND: 'NOT_FOUND',
  SESSION_NOT_FOUND: 'NOT_FOUND',
  ROOM_EXISTS: 'ALREADY_EXISTS',
  MESSAGE_ID_REUSED: 'ALREADY_EXISTS',
  CHANGE_ID_REUSED: 'ALREADY_EXISTS',
  USERNAME_TAKEN: 'ALREADY_EXISTS',
  CHAT_IS_DIRECT: 'FAILED_PRECONDITION',
  LAST_OWNER: 'FAILED_PRECONDITION',
  SYSTEM_MESSAGE: 'FAILED_PRECONDITION',
  MESSAGE_DELETED: 'FAILED_PRECONDITION',
  TOO_LATE: 'FAILED_PRECONDITION',
  USER_IS_BANNED: 'FAILED_PRECONDITION',
  FEATURE_DISABLED: 'FAILED_PRECONDITION',
  THREAD_NOT_FOLLOWED: 'FAILED_PRECONDITION',
  GUESTS_DISABLED: 'FAILED_PRECONDITION',
  REGISTRATION_DISABLED: 'FAILED_PRECONDITION',
  ACCOUNTS_ELSEWHERE: 'FAILED_PRECONDITION',
  NOT_AN_ACCOUNT: 'FAILED_PRECONDITION',
  PART_MISSING: 'FAILED_PRECONDITION',
  NOT_STREAMING: 'FAILED_PRECONDITION',
  MESSAGE_STREAMING: 'FAILED_PRECONDITION',
  CHAT_TOO_LARGE: 'FAILED_PRECONDITION',
  VERSION_CONFLICT: 'ABORTED',
  CURSOR_IN_FUTURE: 'OUT_OF_RANGE',
  RATE_LIMITED: 'RESOURCE_EXHAUSTED',
  MEMBER_LIMIT: 'RESOURCE_EXHAUSTED',
  REACTION_LIMIT: 'RESOURCE_EXHAUSTED',
  SUBSCRIPTION_LIMIT: 'RESOURCE_EXHAUSTED',
  FRAME_LIMIT: 'RESOURCE_EXHAUSTED',
  TOO_MANY_STREAMS: 'RESOURCE_EXHAUSTED',
  WRITER_BUSY: 'UNAVAILABLE',
  TOO_MANY_ARRIVALS: 'UNAVAILABLE',
  STORAGE_UNAVAILABLE: 'UNAVAILABLE',
  DRAINING: 'UNAVAILABLE',
  TIMED_OUT: 'DEADLINE_EXCEEDED',
  CLIENT_GONE: 'CANCELLED',
  INTERNAL: 'INTERNAL',
} as const satisfies Record<string, ErrorCode>;

export type ErrorReason = keyof typeof reasons;

/** A field at fault in a request and what is wrong with it. `field` is a path of names in the contract: `member_ids[2]`. */
export interface FieldViolation {
  field: string;
  description: string;
}

interface ErrorDetails {
  violations?: FieldViolation[];
  /** How long to wait before trying again, in milliseconds. Set only if trying again can help. */
  retryAfterMs?: number;
  /** The underlying error, for the log. Never sent to clients. */
  cause?: unknown;
}

/** The one error that services throw. Clients see its message, so internal details belong in `cause`. */
export class ChatError extends Error {
  override readonly name = 'ChatError';
  readonly code: ErrorCode;
  readonly reason: ErrorReason;
  readonly violations: FieldViolation[];
  readonly retryAfterMs: number | undefined;

  constructor(reason: ErrorReason, message: string, { violations = [], retryAfterMs, cause }: ErrorDetails = {}) {
    super(message, { cause });
    this.reason = reason;
    this.code = reasons[reason];
    this.violations = violations;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Creates INVALID_ARGUMENT (INVALID_FIELDS) with every violation; the message names the first three. */
export function invalidFieldsError(...violations: FieldViolation[]): ChatError {
  const named = violations.slice(0, 3).map(({ field, description }) => `${field} ${description}`);
  const summary = named.join('; ') + (violations.length > 3 ? `; and ${violations.length - 3} more` : '');
  return new ChatError('INVALID_FIELDS', summary, { violations });
}
