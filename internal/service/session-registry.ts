import { randomUUID } from 'node:crypto';
import type { Presence } from '../client/presence/presence.ts';
import { ChatError } from '../model/errors.ts';
import type { CloseReason } from '../model/event.ts';
import type { GoneSignal } from '../model/gone.ts';
import type { Principal } from '../model/principal.ts';
import { Arrivals, type ArrivalsOptions } from './arrivals.ts';
import type { EventEncoder } from './event-encoder.ts';
import type { Inbox } from './inbox.ts';
import type { PresenceNews } from './presence-news.ts';
import { type FrameWriter, type Incoming, Session, type SessionDeps, type SessionOptions } from './session.ts';

interface RegistryDeps extends SessionDeps {
  presence: Presence;
  presenceNews: Pick<PresenceNews, 'came' | 'went'>;
}

/** The open sessions of this process, whatever transport they came by. */
export class SessionRegistry {
  readonly #deps: RegistryDeps;
  readonly #options: SessionOptions;
  readonly #sessions = new Set<Session>();
  readonly #arrivals: Arrivals;
  #closedBy: { error: unknown } | undefined;

  constructor(deps: RegistryDeps, options: SessionOptions & { arrivals: ArrivalsOptions }) {
    this.#deps = deps;
    this.#options = options;
    this.#arrivals = new Arrivals(options.arrivals);
    deps.revocations.onChange(() => this.#closeRevoked());
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

  /**
   * Opens a session and runs it: see `Session.run`. The user is online meanwhile. A reader that has not taken the last frames
   * `closingGraceMs` after the session was closed is not waited for: it does not count as open any more, and `onStuck` is called. Sessions begin
   * at a steady pace. Throws UNAVAILABLE (TOO_MANY_ARRIVALS).
   */
  async run(
    {
      principal,
      encoder,
      onStuck,
    }: { principal: Principal; encoder: EventEncoder; onStuck?: (() => void) | undefined },
    commands: Inbox<readonly Incoming[]>,
    write: FrameWriter,
    signal: GoneSignal,
  ): Promise<void> {
    const { presence, presenceNews, chats, revocations, log } = this.#deps;
    if (!(await this.#arrivals.enter(signal))) return;
    // One that was let in just before the others were closed would stay open to the end.
    if (this.#closedBy) throw this.#closedBy.error;
    const user = { id: principal.userId, name: principal.name };
    let grace: NodeJS.Timeout | undefined;
    const session = new Session(this.#deps, this.#options, {
      id: randomUUID(),
      principal,
      encoder,
      onClosing: () => {
        grace = setTimeout(() => void this.#giveUp(session, onStuck), this.#options.closingGraceMs);
      },
    });
    this.#sessions.add(session);
    try {
      // From here on changes are told; one that came before, after the token was looked at, is noticed now.
      revocations.check(principal);
      if (await presence.enter(session.id, user)) presenceNews.came(user);
      // Without the database others see the name a little later.
      await chats.rememberUser(user).catch((err) => log.warn({ err, userId: user.id }, 'could not remember a name'));
      await session.run(commands, write, signal);
    } finally {
      clearTimeout(grace);
      this.#sessions.delete(session);
      await this.#leave(session);
    }
  }

  /** Closes all sessions and lets no new ones in, telling each to come back after a time of its own, at most `spreadMs` milliseconds. */
  async closeAll(reason: CloseReason, error: unknown, spreadMs: number): Promise<void> {
    this.#closedBy = { error };
    this.#arrivals.open();
    const closing = [...this.#sessions].map((session) =>
      session.close(reason, error, Math.ceil(Math.random() * spreadMs)),
    );
    await Promise.all(closing);
  }

  /** Closes the sessions whose tokens do not count any more. */
  #closeRevoked(): void {
    for (const session of this.#sessions) {
      try {
        this.#deps.revocations.check(session.principal);
      } catch (error) {
        const banned = error instanceof ChatError && error.reason === 'BANNED';
        void session.close(banned ? 'BANNED' : 'SESSION_REVOKED', error);
      }
    }
  }

  /** The transport is stuck with a frame that nobody takes: `run` gets no further by itself. Never throws. */
  async #giveUp(session: Session, onStuck: (() => void) | undefined): Promise<void> {
    this.#sessions.delete(session);
    onStuck?.();
    await this.#leave(session);
  }

  async #leave(session: Session): Promise<void> {
    const { presence, presenceNews, log } = this.#deps;
    const { userId, name } = session.principal;
    try {
      if (await presence.leave(session.id)) presenceNews.went({ id: userId, name });
    } catch (err) {
      log.warn({ err }, 'could not leave the presence');
    }
  }
}
