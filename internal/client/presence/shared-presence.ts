import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { User } from '../../model/user.ts';
import { OwnSessions } from './own-sessions.ts';
import type { Presence } from './presence.ts';
import type { PresenceStore } from './presence-store.ts';

export interface SharedPresenceOptions {
  /** The interval of heartbeats, in milliseconds. */
  heartbeatMs: number;
  /** How long a node without a heartbeat counts as living, in milliseconds. Must equal the store's. */
  deadAfterMs: number;
  /** The longest time that `enter` and `leave` wait for the store, in milliseconds. */
  patienceMs: number;
}

/** The most users in one change of the store. */
const maxBatch = 500;

/**
 * Presence across nodes that share a store. Writes changes of this node's users in batches, one at a time, with each user's state at the time of
 * the write. If the store has lost the node or counts it as dead, the next heartbeat writes all its users again.
 */
export class SharedPresence implements Presence {
  readonly #nodeId = randomUUID();
  readonly #store: PresenceStore;
  readonly #log: Logger;
  readonly #options: SharedPresenceOptions;
  readonly #own = new OwnSessions();
  readonly #goneListeners: ((user: User) => void)[] = [];
  readonly #backListeners: ((user: User) => void)[] = [];
  /** Users whose state must be written. Each resolves with whether the user is online on another node. */
  #unwritten = new Map<string, PromiseWithResolvers<boolean>>();
  /** The number of writes. The store keeps the number of the last one, so a heartbeat detects a lost write. */
  #version = 0;
  /** Whether the store answered the last request. If not, only the heartbeat tries it. */
  #inTouch = false;
  #failureLogged = false;
  #lastBeatAt = Number.NEGATIVE_INFINITY;
  /** The earliest time of a sweep: before it, other nodes may not have had time for a heartbeat. */
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

  /** Starts the heartbeat. Resolves when the first has succeeded or failed; a failed one is repeated after `heartbeatMs`. */
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

  /** Asks the store, or this node's own sessions if the store is unreachable. */
  async #ask<T>(store: () => Promise<T>, own: () => T): Promise<T> {
    if (!this.#inTouch) return own();
    try {
      return await store();
    } catch (err) {
      this.#lose(err);
      return own();
    }
  }

  /**
   * Queues the user's state for the next write. Resolves with whether the user is online on another node; with false after `patienceMs`, or if the store
   * is unreachable. Never rejects.
   */
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

  /** Runs heartbeats and writes, one at a time, until none is due. Never rejects. */
  #work(): Promise<void> {
    this.#working ??= this.#workOn();
    return this.#working;
  }

  async #workOn(): Promise<void> {
    // Waits for the end of the turn, so that all its changes are one batch.
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
      // The process may have been suspended during any of these steps.
      const now = performance.now();
      const wasSilent = now - this.#lastBeatAt > deadAfterMs;
      this.#lastBeatAt = begun;
      // After an outage of the store, other nodes seem dead until their next heartbeat.
      if (!wasInTouch || wasSilent) this.#sweepsFrom = now + deadAfterMs;
      // The store was reachable but this node was silent: another node has announced that its users are offline.
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
    this.#log.warn({ err }, 'presence cannot be shared at the moment: this node knows only its own users');
  }
}

function tell(listeners: readonly ((user: User) => void)[], users: readonly User[]): void {
  for (const user of users) for (const listener of listeners) listener(user);
}
