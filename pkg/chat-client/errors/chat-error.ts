/**
 * The error of every call of the SDK: an error of the service, or of the connection to it. Branch on `reason` or `code`; `message` is for
 * developers.
 */
export class ChatClientError extends Error {
  override readonly name = 'ChatClientError';
  /** The gRPC name of the status code, such as `NOT_FOUND`. */
  readonly code: string;
  /** The service's stable reason, such as `CHAT_NOT_FOUND`; empty if the error does not come from the service. */
  readonly reason: string;
  /** The invalid fields of the request, by their names in the contract; empty if no field is invalid. */
  readonly violations: readonly { field: string; description: string }[];
  /** How long the service asks to wait before trying again, in milliseconds; undefined if it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    details: {
      code: string;
      reason?: string;
      violations?: readonly { field: string; description: string }[];
      retryAfterMs?: number;
      cause?: unknown;
    },
  ) {
    super(message, { cause: details.cause });
    this.code = details.code;
    this.reason = details.reason ?? '';
    this.violations = details.violations ?? [];
    this.retryAfterMs = details.retryAfterMs;
  }

  /** Whether the same request may succeed later. */
  get temporary(): boolean {
    return (
      this.code === 'UNAVAILABLE' ||
      this.code === 'DEADLINE_EXCEEDED' ||
      this.reason === 'RATE_LIMITED' ||
      (this.code === 'CANCELLED' && this.reason === '')
    );
  }
}

/** Returns a thrown value as a ChatClientError; other errors get the code UNKNOWN and become the `cause`. */
export function toChatClientError(error: unknown): ChatClientError {
  if (error instanceof ChatClientError) return error;
  return new ChatClientError((error as Error).message, { code: 'UNKNOWN', cause: error });
}

/** Creates the error, CANCELLED, with which everything under way ends when the client is closed. */
export function closedError(): ChatClientError {
  return new ChatClientError('the client was closed', { code: 'CANCELLED' });
}

/** Returns the value of a field that the service always sets; throws INTERNAL if it is missing. */
export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new ChatClientError('the service left out a field', { code: 'INTERNAL' });
  return value;
}
