import { randomUUID } from 'node:crypto';
import type { Presence } from '../../client/presence/presence.ts';
import { ChatError } from '../../model/errors.ts';
import type { CloseReason } from '../../model/event.ts';
import type { LightAbortSignal } from '../../model/light-abort.ts';
import type { Principal } from '../../model/principal.ts';
import type { UserRepository } from '../../repository/user-repository.ts';
import type { EventEncoder } from '../delivery/event-encoder.ts';
import { AdmissionQueue, type AdmissionQueueOptions } from './admission-queue.ts';
import type { FrameWriter } from './frame-sender.ts';
import type { Inbox } from './inbox.ts';
import type { PresenceAnnouncer } from './presence-announcer.ts';
import { type Incoming, Session, type SessionDeps, type SessionOptions } from './session.ts';

interface RegistryDeps extends SessionDeps {
  users: UserRepository;
  presence: Presence;
  presenceAnnouncer: Pick<PresenceAnnouncer, 'online' | 'offline'>;
}

/** Whose stream it is, and what serves it. */
interface Opened {
  principal: Principal;
  encoder: EventEncoder;
  onStuck?: (() => void) | undefined;
}

export interface RegistryOptions extends SessionOptions {
  admission: AdmissionQueueOptions;
  /** 0: any number. */
  maxStreamsPerUser: number;
}

/** The open sessions of this process, whatever transport they came by. */
export class SessionRegistry {
  readonly #deps: RegistryDeps;
  readonly #options: RegistryOptions;
  readonly #sessions = new Set<Session>();
  /** Streams of each user, those that wait to be let in as well. */
  readonly #streams = new Map<string, number>();
  readonly #admission: AdmissionQueue;
  #closedBy: { error: unknown } | undefined;

  constructor(deps: RegistryDeps, options: RegistryOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#admission = new AdmissionQueue(options.admission);
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
   * at a steady pace. Throws UNAVAILABLE (TOO_MANY_ARRIVALS), RESOURCE_EXHAUSTED (TOO_MANY_STREAMS).
   */
  async run(
    { principal, encoder, onStuck }: Opened,
    commands: Inbox<readonly Incoming[]>,
    write: FrameWriter,
    signal: LightAbortSignal,
  ): Promise<void> {
    const { presence, presenceAnnouncer, users, revocations, log } = this.#deps;
    const user = { id: principal.userId, name: principal.name };
    this.#countIn(user.id);
    let session: Session | undefined;
    let grace: NodeJS.Timeout | undefined;
    try {
      if (!(await this.#admission.enter(signal))) return;
      // One that was let in just before the others were closed would stay open to the end.
      if (this.#closedBy) throw this.#closedBy.error;
      const opened = new Session(this.#deps, this.#options, {
        id: randomUUID(),
        principal,
        encoder,
        onClosing: () => {
          grace = setTimeout(() => void this.#giveUp(opened, onStuck), this.#options.closingGraceMs);
        },
      });
      session = opened;
      this.#sessions.add(opened);
      // From here on changes are told; one that came before, after the token was looked at, is noticed now.
      revocations.check(principal);
      if (await presence.enter(opened.id, user)) presenceAnnouncer.online(user);
      // Without the database others see the name a little later.
      await users.remember(user).catch((err) => log.warn({ err, userId: user.id }, 'could not remember a name'));
      await opened.run(commands, write, signal);
    } finally {
      clearTimeout(grace);
      this.#countOut(user.id);
      if (session) {
        this.#sessions.delete(session);
        await this.#leave(session);
      }
    }
  }

  #countIn(userId: string): void {
    const most = this.#options.maxStreamsPerUser;
    const streams = this.#streams.get(userId) ?? 0;
    if (most > 0 && streams >= most) {
      throw new ChatError('TOO_MANY_STREAMS', `a user may have at most ${most} open streams`);
    }
    this.#streams.set(userId, streams + 1);
  }

  #countOut(userId: string): void {
    const left = this.#streams.get(userId)! - 1;
    if (left > 0) this.#streams.set(userId, left);
    else this.#streams.delete(userId);
  }

  /** Closes all sessions and lets no new ones in, telling each to come back after a time of its own, at most `spreadMs` milliseconds. */
  async closeAll(reason: CloseReason, error: unknown, spreadMs: number): Promise<void> {
    this.#closedBy = { error };
    this.#admission.open();
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
    const { presence, presenceAnnouncer, log } = this.#deps;
    const { userId, name } = session.principal;
    try {
      if (await presence.leave(session.id)) presenceAnnouncer.offline({ id: userId, name });
    } catch (err) {
      log.warn({ err }, 'could not leave the presence');
    }
  }
}
