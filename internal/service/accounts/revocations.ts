import type { Logger } from 'pino';
import { ChatError } from '../../model/errors.ts';
import type { Principal } from '../../model/principal.ts';
import type { BanChanges, BanRepository } from '../../repository/ban-repository.ts';
import type { RevocationSource } from '../../repository/revocation-source.ts';
import { RevocationsFeed, type RevocationsFeedOptions } from './revocations-feed.ts';

export interface RevocationsDeps {
  /** Absent: sessions do not end before their tokens expire. */
  sessions?: RevocationSource;
  /** Absent: no user is banned from the service. */
  bans?: Pick<BanRepository, 'listChanges'>;
  log: Logger;
}

export interface RevocationsOptions extends RevocationsFeedOptions {
  /** How long an ended session is remembered, in milliseconds. Must be at least the lifetime of an access token. */
  rememberMs: number;
  /** How long `start` waits for the sources, in milliseconds. */
  startTimeoutMs: number;
}

/** The longest time between two removals of expired entries, in milliseconds. */
const forgetEveryMs = 60_000;

/**
 * Knows which unexpired tokens are revoked: those of ended sessions, and those of users banned from the service. A change on another node takes effect
 * here after `pollMs` and one read. While a source is unreachable, known revocations stay in force and new ones are not seen.
 */
export class Revocations {
  readonly #options: RevocationsOptions;
  readonly #sessions: RevocationsFeed<{ sessionIds: string[]; cursor: string }> | undefined;
  readonly #users: RevocationsFeed<BanChanges> | undefined;
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
          name: 'the ended sessions',
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
          name: 'the banned users',
          read: (cursor) => bans.listChanges(cursor),
          apply: (changes) => this.#changeBans(changes),
          log,
        },
        options,
      );
  }

  /** The number of remembered sessions and bans. */
  get size(): number {
    return this.#ended.size + this.#bans.size;
  }

  /** Starts to follow the sources. Resolves when each has been read once. Throws an Error with the reason after `startTimeoutMs`. */
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
   * Reads the sources now. Resolves when every change that was committed before the call takes effect here. Call it after a change on this node, before
   * the change is answered. Throws the source's error, or UNAVAILABLE (DRAINING) when closed.
   */
  async refresh(kind?: 'sessions' | 'bans'): Promise<void> {
    await Promise.all([
      kind === 'bans' ? undefined : this.#sessions?.refresh(),
      kind === 'sessions' ? undefined : this.#users?.refresh(),
    ]);
  }

  /** Throws PERMISSION_DENIED (BANNED) or UNAUTHENTICATED (SESSION_REVOKED) if the token is revoked. */
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

  /** Calls `listener`, synchronously, whenever `check` may refuse a token that it accepted before. Returns a function that removes it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops following the sources. Idempotent. */
  close(): void {
    this.#sessions?.close();
    this.#users?.close();
  }

  #addEnded(sessionIds: readonly string[]): void {
    this.#forget();
    const known = this.#ended.size;
    const forgetAt = Date.now() + this.#options.rememberMs;
    // A repeated session keeps its time: its tokens were issued before it ended.
    for (const id of sessionIds) if (!this.#ended.has(id)) this.#ended.set(id, forgetAt);
    if (this.#ended.size > known) this.#tell();
  }

  #changeBans({ changes, complete }: BanChanges): void {
    this.#forget();
    const before = complete ? new Map(this.#bans) : this.#bans;
    if (complete) this.#bans.clear();
    let stricter = false;
    for (const { userId, banned, expiresAt } of changes) {
      const until = banned ? (expiresAt?.getTime() ?? Number.POSITIVE_INFINITY) : 0;
      stricter ||= until > (before.get(userId) ?? 0);
      if (banned) this.#bans.set(userId, until);
      else this.#bans.delete(userId);
    }
    if (stricter) this.#tell();
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
