import { ChatError } from '../../model/errors.ts';
import type { Principal } from '../../model/principal.ts';
import type { AuditRepository } from '../../repository/audit-repository.ts';
import type { OpenStream, SessionRegistry } from './session-registry.ts';

interface Deps {
  sessions: Pick<SessionRegistry, 'list' | 'close'>;
  audit: Pick<AuditRepository, 'record'>;
}

/** The open streams of this process, for its administrators. */
export class StreamDirectory {
  readonly #sessions: Deps['sessions'];
  readonly #audit: Deps['audit'];

  constructor({ sessions, audit }: Deps) {
    this.#sessions = sessions;
    this.#audit = audit;
  }

  /** Lists the streams, or those of one user: those with the most waiting bytes first, then the oldest. */
  list(userId?: string): OpenStream[] {
    return this.#sessions
      .list()
      .filter((stream) => userId === undefined || stream.userId === userId)
      .toSorted((a, b) => b.waitingBytes - a.waitingBytes || a.openedAt.getTime() - b.openedAt.getTime());
  }

  /**
   * Closes a stream, whose client may connect again; false if there is none. The audit log has `stream.close` before it happens. Throws UNAVAILABLE
   * (STORAGE_UNAVAILABLE).
   */
  async close(actor: Principal, streamId: string, reason: string): Promise<boolean> {
    const stream = this.#sessions.list().find(({ id }) => id === streamId);
    if (!stream) return false;
    const user = { id: actor.userId, name: actor.name };
    await this.#audit.record(user, 'stream.close', { stream_id: streamId, user_id: stream.userId, reason });
    const error = new ChatError('DRAINING', 'an administrator has closed this stream: connect again', {
      retryAfterMs: 1_000,
    });
    return this.#sessions.close(streamId, error);
  }
}
