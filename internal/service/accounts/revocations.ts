import type { Logger } from 'pino';
import type { BanChange } from '../../model/ban.ts';
import { ChatError } from '../../model/errors.ts';
import type { Principal } from '../../model/principal.ts';
import type { BanRepository } from '../../repository/ban-repository.ts';
import type { RevocationSource } from '../../repository/revocation-source.ts';
import { RevocationsFeed, type RevocationsFeedOptions } from './revocations-feed.ts';

export interface RevocationsDeps {
  /** Absent: sessions do not end before their tokens expire. */
  sessions?: RevocationSource;
  /** Absent: nobody is banned from the service. */
  bans?: Pick<BanRepository, 'listChanges'>;
  log: Logger;
}

export interface RevocationsOptions extends RevocationsFeedOptions {
  /** How long an ended session is remembered, in milliseconds: until no access token of it can still be valid. */
  rememberMs: number;
  /** How long `start` waits for the sources, in milliseconds. */
  startTimeoutMs: number;
}

/** How often what is of no more use is forgotten at the least, in milliseconds. */
const forgetEveryMs = 60_000;

/**
 * Which tokens do not count any more although they have not expired: of sessions that have ended and of users who are banned from the
 * service. What happens on another node is known here after `pollMs` and one read. While a source is away, what was known goes
 * on to hold and nothing new is learned.
 */
export class Revocations {
  readonly #options: RevocationsOptions;
  readonly #sessions: RevocationsFeed<{ sessionIds: string[]; cursor: string }> | undefined;
  readonly #users: RevocationsFeed<{ changes: BanChange[]; cursor: string }> | undefined;
  readonly #listeners = new Set<() => void>();
  /** Ended sessions, and when each can be forgotten; the oldest first. */
  readonly #ended = new Map<string, number>();
  /** Banned users, and when each ban expires. */
  readonly #bans = new Map<string, number>();
  #forgottenAt = Date.now();

  constructor({ sessions, bans, log }: RevocationsDeps, options: RevocationsOptions) {
    this.#options = options;
    this.#sessions =
      sessions &&
      new RevocationsFeed(
        {
          name: 'which sessions have ended',
          read: (cursor) => sessions.listRevocations(cursor),
          apply: ({ sessionIds }) => this.#addEnded(sessionIds),
          log,
        },
        options,
      );
    this.#users =
      bans &&
      new RevocationsFeed(
        {
          name: 'who is banned',
          read: (cursor) => bans.listChanges(cursor),
          apply: ({ changes }) => this.#changeBans(changes),
          log,
        },
        options,
      );
  }

  /** How much is remembered. */
  get size(): number {
    return this.#ended.size + this.#bans.size;
  }

  /** Resolves once all that holds now is known. Throws an error with a clear message when a source cannot be read in time. */
  async start(): Promise<void> {
    try {
      const { startTimeoutMs } = this.#options;
      await Promise.all([this.#sessions?.start(startTimeoutMs), this.#users?.start(startTimeoutMs)]);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Resolves once everything that was committed before the call (of one kind, or of both) is known here. Call it after a change, so that
   * the answer to it means that it is enforced. Throws UNAVAILABLE if a source cannot be read.
   */
  async refresh(kind?: 'sessions' | 'bans'): Promise<void> {
    await Promise.all([
      kind === 'bans' ? undefined : this.#sessions?.refresh(),
      kind === 'sessions' ? undefined : this.#users?.refresh(),
    ]);
  }

  /** Throws PERMISSION_DENIED (BANNED) or UNAUTHENTICATED (SESSION_REVOKED) if the token does not count any more. */
  check({ userId, sessionId }: Principal): void {
    const expiresAt = this.#bans.get(userId);
    if (expiresAt !== undefined && expiresAt > Date.now()) {
      const until = expiresAt === Number.POSITIVE_INFINITY ? '' : ` until ${new Date(expiresAt).toISOString()}`;
      throw new ChatError('BANNED', `you are banned from this service${until}`);
    }
    if (sessionId !== undefined && this.#ended.has(sessionId)) {
      throw new ChatError('SESSION_REVOKED', 'the session of the access token has ended: sign in again');
    }
  }

  /** Calls back, within the same turn, whenever `check` may refuse what it let pass before. Returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Twice is harmless. */
  close(): void {
    this.#sessions?.close();
    this.#users?.close();
  }

  #addEnded(sessionIds: readonly string[]): void {
    this.#forget();
    const known = this.#ended.size;
    const forgetAt = Date.now() + this.#options.rememberMs;
    // One that is told again keeps its time: its tokens were issued before it ended.
    for (const id of sessionIds) if (!this.#ended.has(id)) this.#ended.set(id, forgetAt);
    if (this.#ended.size > known) this.#tell();
  }

  #changeBans(changes: readonly BanChange[]): void {
    this.#forget();
    for (const { userId, banned, expiresAt } of changes) {
      if (banned) this.#bans.set(userId, expiresAt?.getTime() ?? Number.POSITIVE_INFINITY);
      else this.#bans.delete(userId);
    }
    if (changes.some(({ banned }) => banned)) this.#tell();
  }

  #forget(): void {
    const now = Date.now();
    if (now < this.#forgottenAt + Math.min(forgetEveryMs, this.#options.rememberMs)) return;
    this.#forgottenAt = now;
    for (const [id, forgetAt] of this.#ended) if (forgetAt <= now) this.#ended.delete(id);
    for (const [userId, expiresAt] of this.#bans) if (expiresAt <= now) this.#bans.delete(userId);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
