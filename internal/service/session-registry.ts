import { randomUUID } from 'node:crypto';
import type { Presence } from '../client/presence/presence.ts';
import type { CloseReason } from '../model/event.ts';
import type { Principal } from '../model/principal.ts';
import type { EventEncoder } from './event-encoder.ts';
import { type Incoming, Session, type SessionDeps, type SessionOptions } from './session.ts';

/** The open sessions of this process, whatever transport they came by. */
export class SessionRegistry {
  readonly #deps: SessionDeps & { presence: Presence };
  readonly #options: SessionOptions;
  readonly #sessions = new Set<Session>();
  #closedBy: { error: unknown } | undefined;

  constructor(deps: SessionDeps & { presence: Presence }, options: SessionOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** What waits for all readers together, in bytes. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const session of this.#sessions) bytes += session.queuedBytes;
    return bytes;
  }

  /** Opens a session and runs it: see `Session.run`. The user is online meanwhile. */
  async *run(
    { principal, encoder }: { principal: Principal; encoder: EventEncoder },
    commands: AsyncIterable<readonly Incoming[]>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    // One that was let in just before the others were closed would stay open to the end.
    if (this.#closedBy) throw this.#closedBy.error;
    const { presence, chats, log } = this.#deps;
    const user = { id: principal.userId, name: principal.name };
    const session = new Session(this.#deps, this.#options, { id: randomUUID(), principal, encoder });
    this.#sessions.add(session);
    try {
      await presence.enter(session.id, user);
      // Without the database others see the name a little later.
      await chats.rememberUser(user).catch((err) => log.warn({ err, userId: user.id }, 'could not remember a name'));
      yield* session.run(commands, signal);
    } finally {
      this.#sessions.delete(session);
      await presence.leave(session.id);
    }
  }

  /** Closes all sessions and lets no new ones in, telling each to come back after a time of its own, at most `spreadMs` milliseconds. */
  async closeAll(reason: CloseReason, error: unknown, spreadMs: number): Promise<void> {
    this.#closedBy = { error };
    const closing = [...this.#sessions].map((session) =>
      session.close(reason, error, Math.ceil(Math.random() * spreadMs)),
    );
    await Promise.all(closing);
  }
}
