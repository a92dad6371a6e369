import { randomUUID } from 'node:crypto';
import type { Presence } from '../../client/presence/presence.ts';
import { ChatError } from '../../model/errors.ts';
import type { CloseReason } from '../../model/event.ts';
import type { EventEncoder } from '../../model/event-encoder.ts';
import type { LightAbortSignal } from '../../model/light-abort.ts';
import type { Principal } from '../../model/principal.ts';
import type { UserRepository } from '../../repository/user-repository.ts';
import { AdmissionQueue, type AdmissionQueueOptions } from './admission-queue.ts';
import type { FrameWriter } from './frame-sender.ts';
import type { Inbox } from './inbox.ts';
import type { PresenceAnnouncer } from './presence-announcer.ts';
import { type Incoming, Session, type SessionDeps, type SessionOptions, type Transport } from './session.ts';

interface RegistryDeps extends SessionDeps {
  users: UserRepository;
  presence: Presence;
  presenceAnnouncer: Pick<PresenceAnnouncer, 'online' | 'offline'>;
}

/** A stream that a transport has opened. */
interface Opened {
  principal: Principal;
  encoder: EventEncoder;
  transport: Transport;
  /** The trace id of the stream, for the log. */
  traceId?: string;
  /** Called when the session is over but the client does not take the last frame. */
  onStuck?: (() => void) | undefined;
}

export interface RegistryOptions extends SessionOptions {
  admission: AdmissionQueueOptions;
  /** Open streams of one user in this process; 0 is no limit. */
  maxStreamsPerUser: number;
}

/** An open session, as administrators see it. */
export interface OpenStream {
  id: string;
  userId: string;
  name: string;
  transport: Transport;
  openedAt: Date;
  /** Bytes that wait for the client to read them. */
  waitingBytes: number;
  subscriptions: number;
}

/** The open sessions of this process, of all transports. */
export class SessionRegistry {
  readonly #deps: RegistryDeps;
  readonly #options: RegistryOptions;
  readonly #sessions = new Set<Session>();
  /** Number of streams of each user, including those that wait for admission. */
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

  /** Streams that wait to be admitted. */
  get waiting(): number {
    return this.#admission.waiting;
  }

  /** The number of open sessions of each transport. */
  countByTransport(): Record<Transport, number> {
    const counts = { grpc: 0, websocket: 0, sse: 0 };
    for (const { transport } of this.#sessions) counts[transport] += 1;
    return counts;
  }

  list(): OpenStream[] {
    return [...this.#sessions].map(({ id, principal, transport, openedAt, queuedBytes, subscriptions }) => ({
      id,
      userId: principal.userId,
      name: principal.name,
      transport,
      openedAt: new Date(openedAt),
      waitingBytes: queuedBytes,
      subscriptions,
    }));
  }

  /** Begins to close one session with this error; its client may connect again. False if there is none. */
  close(id: string, error: ChatError): boolean {
    const session = [...this.#sessions].find((each) => each.id === id);
    void session?.close('DRAINING', error, error.retryAfterMs);
    return session !== undefined;
  }

  /** Bytes that wait for all readers together. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const session of this.#sessions) bytes += session.queuedBytes;
    return bytes;
  }

  /**
   * Opens a session once it is admitted, and runs it as `Session.run` does. The user is online meanwhile. If the client has not taken the
   * last frames `closingGraceMs` after the session was closed, the session no longer counts as open and `onStuck` is called. Throws what
   * `Session.run` throws, UNAVAILABLE (TOO_MANY_ARRIVALS) and RESOURCE_EXHAUSTED (TOO_MANY_STREAMS).
   */
  async run(
    { principal, encoder, transport, traceId, onStuck }: Opened,
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
      // `closeAll` does not see a session that is being admitted at that moment.
      if (this.#closedBy) throw this.#closedBy.error;
      const opened = new Session(this.#deps, this.#options, {
        id: randomUUID(),
        principal,
        encoder,
        transport,
        traceId,
        onClosing: () => {
          grace = setTimeout(() => void this.#giveUp(opened, onStuck), this.#options.closingGraceMs);
        },
      });
      session = opened;
      this.#sessions.add(opened);
      // Later revocations close the registered session; one between the check of the token and now is noticed here.
      revocations.check(principal);
      if (await presence.enter(opened.id, user)) presenceAnnouncer.online(user);
      // The stream opens without it: while the database is away others see an older name.
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

  /** Closes all sessions and admits no new ones. Each client is told a random time to reconnect after, at most `spreadMs` milliseconds. */
  async closeAll(reason: CloseReason, error: unknown, spreadMs: number): Promise<void> {
    this.#closedBy = { error };
    this.#admission.open();
    const closing = [...this.#sessions].map((session) =>
      session.close(reason, error, Math.ceil(Math.random() * spreadMs)),
    );
    await Promise.all(closing);
  }

  /** Closes the sessions whose user or token was revoked. */
  #closeRevoked(): void {
    for (const session of this.#sessions) {
      try {
        this.#deps.revocations.check(session.principal);
      } catch (error) {
        const isBanned = error instanceof ChatError && error.reason === 'BANNED';
        void session.close(isBanned ? 'BANNED' : 'SESSION_REVOKED', error);
      }
    }
  }

  /** Gives up a session whose client does not take the last frame: `run` would wait for that. Never throws. */
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
