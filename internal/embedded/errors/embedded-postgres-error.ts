/** What can be done about a failure to start: try again soon, take another port, or give up. */
export type FailureReason = 'folder_busy' | 'port_taken' | 'final';

/** A failure of the bundled PostgreSQL. The message is one line for the operator; `cause` has the details. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly reason: FailureReason;

  constructor(message: string, options: { cause?: unknown; reason?: FailureReason } = {}) {
    super(message.replace(/\s*\n\s*/g, ' '), { cause: options.cause });
    this.reason = options.reason ?? 'final';
  }
}
