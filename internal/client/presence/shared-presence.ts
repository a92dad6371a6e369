import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { User } from '../../model/user.ts';
import { OwnSessions } from './own-sessions.ts';
import type { Presence } from './presence.ts';
import type { PresenceStore } from './presence-store.ts';

export interface SharedPresenceOptions {
  /** How often a node shows that it lives, in milliseconds. */
  heartbeatMs: number;
  /** How long a silent node is taken to live, in milliseconds: what the store goes by. */
  deadAfterMs: number;
  /** How long a session that begins or ends waits for the store at the most, in milliseconds. */
  patienceMs: number;
}

/** A store takes so many users in one step. */
const maxBatch = 500;

/**
 * Presence across nodes that share a store. What happened here is written in batches, one at a time and as things are by then; a
 * node that the store has lost, or that was taken for dead, enters all its users anew with its next heartbeat.
 */
export class SharedPresence implements Presence {
  readonly #nodeId = randomUUID();
  readonly #store: PresenceStore;
  readonly #log: Logger;
  readonly #options: SharedPresenceOptions;
  readonly #own = new OwnSessions();
  readonly #goneListeners: ((user: User) => void)[] = [];
  readonly #backListeners: ((user: User) => void)[] = [];
  /** Users whose state is still to be written; resolves with whether they are online elsewhere. */
  #unwritten = new Map<string, PromiseWithResolvers<boolean>>();
  /** Counts what was told; the store holds the number of what it was told last. */
  #version = 0;
  /** Whether the store answered last time: else it is asked nothing but by the heartbeat. */
  #inTouch = false;
  #failureLogged = false;
  #lastBeatAt = Number.NEGATIVE_INFINITY;
  /** Until then other nodes may not have had the time to say that they live. */
  #sweepsFrom = 0;
  #beatDue = false;
  #working: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #handedOver: readonly User[] = [];

  constructor({ store, log }: { store: PresenceStore; log: Logger }, options: SharedPresenceOptions) {
    this.#store = store;
    this.#log = log;
    this.#options = options;
  }

  /** Resolves once the node is known to the others, or the store turns out to be away; it is tried again by itself. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.#beatSoon(), this.#options.heartbeatMs);
    this.#timer.unref();
    await this.#beatSoon();
  }

  async enter(sessionId: string, user: User): Promise<boolean> {
    const { first, known } = this.#own.enter(sessionId, user);
    if (known) return false;
    const elsewhere = await this.#write(user.id);
    return first && !elsewhere;
  }

  async leave(sessionId: string): Promise<boolean> {
    const user = this.#own.leave(sessionId);
    return user !== undefined && !(await this.#write(user.id));
  }

  async isOnline(userId: string): Promise<boolean> {
    if (this.#own.has(userId)) return true;
    return this.#ask(
      () => this.#store.isOnline(userId),
      () => false,
    );
  }

  filterOnline(userIds: readonly string[]): Promise<User[]> {
    return this.#ask(
      () => this.#store.filterOnline(userIds),
      () => this.#own.filter(userIds),
    );
  }

  list(limit: number, afterUserId?: string): Promise<User[]> {
    return this.#ask(
      () => this.#store.list(limit, afterUserId),
      () => this.#own.list(limit, afterUserId),
    );
  }

  onGone(listener: (user: User) => void): void {
    this.#goneListeners.push(listener);
  }

  onBack(listener: (user: User) => void): void {
    this.#backListeners.push(listener);
  }

  handOver(users: readonly User[]): void {
    this.#handedOver = users;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#working;
    if (!this.#inTouch) return;
    const present = this.#handedOver.filter(({ id }) => !this.#own.has(id));
    try {
      for (let at = 0; at < present.length; at += maxBatch) {
        this.#version += 1;
        await this.#store.change(this.#nodeId, this.#version, {
          present: present.slice(at, at + maxBatch),
          absent: [],
        });
      }
      await this.#store.abandon(this.#nodeId);
    } catch (err) {
      this.#lose(err);
    }
  }

  /** Asks the store; without it, this node's own sessions. */
  async #ask<T>(store: () => Promise<T>, own: () => T): Promise<T> {
    if (!this.#inTouch) return own();
    try {
      return await store();
    } catch (err) {
      this.#lose(err);
      return own();
    }
  }

  /** Has the user's state written; resolves with whether they are online elsewhere, false if that cannot be known soon. Never throws. */
  async #write(userId: string): Promise<boolean> {
    const written = this.#unwritten.get(userId) ?? Promise.withResolvers<boolean>();
    this.#unwritten.set(userId, written);
    void this.#work();
    let timer: NodeJS.Timeout | undefined;
    const outOfPatience = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, this.#options.patienceMs, false);
    });
    try {
      return await Promise.race([written.promise, outOfPatience]);
    } finally {
      clearTimeout(timer);
    }
  }

  #beatSoon(): Promise<void> {
    this.#beatDue = true;
    return this.#work();
  }

  /** One step at a time, in order, as long as there is something to do. Never throws. */
  #work(): Promise<void> {
    this.#working ??= this.#workOn();
    return this.#working;
  }

  async #workOn(): Promise<void> {
    // Whatever else happens in this turn is of the same batch.
    await Promise.resolve();
    while (this.#beatDue || this.#unwritten.size > 0) {
      if (this.#beatDue) {
        this.#beatDue = false;
        await this.#beat();
      } else {
        await this.#flush();
      }
    }
    this.#working = undefined;
  }

  async #flush(): Promise<void> {
    const batch = [...this.#unwritten].slice(0, maxBatch);
    for (const [userId] of batch) this.#unwritten.delete(userId);
    let elsewhere: Set<string> | undefined;
    if (this.#inTouch) {
      const present = batch.flatMap(([userId]) => this.#own.find(userId) ?? []);
      const absent = batch.flatMap(([userId]) => (this.#own.has(userId) ? [] : [userId]));
      this.#version += 1;
      try {
        elsewhere = await this.#store.change(this.#nodeId, this.#version, { present, absent });
        if (!elsewhere) this.#beatDue = true;
      } catch (err) {
        this.#lose(err);
      }
    }
    for (const [userId, written] of batch) written.resolve(elsewhere?.has(userId) ?? false);
  }

  async #beat(): Promise<void> {
    const { deadAfterMs } = this.#options;
    const begun = performance.now();
    try {
      const wasInTouch = this.#inTouch;
      const known = wasInTouch && (await this.#store.beat(this.#nodeId, this.#version));
      const users = this.#own.all();
      if (!known) {
        this.#version += 1;
        await this.#store.replace(this.#nodeId, this.#version, users);
      }
      this.#find();
      // The process may have been stopped at any point of this.
      const now = performance.now();
      const wasSilent = now - this.#lastBeatAt > deadAfterMs;
      this.#lastBeatAt = begun;
      // After an outage the others seem dead until they, too, have found the store again.
      if (!wasInTouch || wasSilent) this.#sweepsFrom = now + deadAfterMs;
      // Only this node was away: the others will have told that its users are gone.
      if (wasInTouch && wasSilent && !known) tell(this.#backListeners, users);
      if (now < this.#sweepsFrom) return;
      const gone = await this.#store.sweep();
      tell(
        this.#goneListeners,
        gone.filter(({ id }) => !this.#own.has(id)),
      );
    } catch (err) {
      this.#lose(err);
    }
  }

  #find(): void {
    if (this.#failureLogged) this.#log.info('presence is shared with the other nodes again');
    this.#failureLogged = false;
    this.#inTouch = true;
  }

  #lose(err: unknown): void {
    this.#inTouch = false;
    if (this.#failureLogged) return;
    this.#failureLogged = true;
    this.#log.warn({ err }, 'presence cannot be shared at the moment: this node knows of its own users only');
  }
}

function tell(listeners: readonly ((user: User) => void)[], users: readonly User[]): void {
  for (const user of users) for (const listener of listeners) listener(user);
}
