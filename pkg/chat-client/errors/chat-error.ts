/** What the service, or the way to it, refused with. */
export class ChatClientError extends Error {
  override readonly name = 'ChatClientError';
  /** gRPC's name of the status code: `NOT_FOUND`. */
  readonly code: string;
  /** The service's stable reason, such as `CHAT_NOT_FOUND`; empty if the error is not the service's own. */
  readonly reason: string;
  /** Fields at fault. */
  readonly violations: readonly { field: string; description: string }[];
  /** How long to wait before trying again, in milliseconds, if trying again can help. */
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

/** Whatever was thrown, as a ChatClientError. */
export function toChatClientError(error: unknown): ChatClientError {
  if (error instanceof ChatClientError) return error;
  return new ChatClientError((error as Error).message, { code: 'UNKNOWN', cause: error });
}

/** What everything under way ends with when the client is closed. */
export function closedError(): ChatClientError {
  return new ChatClientError('the client was closed', { code: 'CANCELLED' });
}

/** Throws INTERNAL for a field that the service always sets. */
export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new ChatClientError('the service left out a field', { code: 'INTERNAL' });
  return value;
}
