/** What the code that starts the server does about a failure: look again soon, take another port, or give up. */
export type FailureReason = 'folder_busy' | 'port_taken' | 'final';

/** Why the bundled server cannot serve. The message is one line for whoever runs the service; `cause` keeps the rest. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly reason: FailureReason;

  constructor(message: string, options: { cause?: unknown; reason?: FailureReason } = {}) {
    super(message.replace(/\s*\n\s*/g, ' '), { cause: options.cause });
    this.reason = options.reason ?? 'final';
  }
}
