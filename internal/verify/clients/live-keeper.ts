import { sleep } from '../../../pkg/backoff/sleep.ts';
import type { Actor } from './actor.ts';
import type { ChatEnd } from './chat-end.ts';
import { LiveStream } from './live-stream.ts';

/** How long to wait before connecting again, in milliseconds. */
const retryMs = { least: 50, most: 500 };

/**
 * Keeps a stream open for a client without the SDK: reconnects to another node and resumes each chat after its last number. The streams record
 * what they receive.
 */
export class LiveKeeper {
  /** By chat, the number after which to resume. */
  readonly cursors = new Map<string, number>();
  /** By chat, the epoch of its cursor. */
  readonly #epochs = new Map<string, string>();
  readonly #actor: Actor;
  readonly #followsAll: boolean;
  #stopped = false;
  #streams = 0;
  #lostAt: number | undefined;
  #awaited: Set<string> | undefined;
  #running: Promise<void> | undefined;
  readonly #stop = new AbortController();

  constructor(actor: Actor) {
    this.#actor = actor;
    // A stream of server-sent events serves one chat.
    this.#followsAll = actor.transportName !== 'sse' && actor.random.chance(0.5);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Reads a chat that the user has joined. */
  follow(chatId: string): void {
    const { live, transportName } = this.#actor;
    if (!live || live.isOver || this.#followsAll || live.followed.includes(chatId)) return;
    if (transportName === 'sse') return;
    this.#resume(live, chatId);
  }

  /** Breaks the connection; the keeper reconnects by itself. */
  cut(): void {
    this.#actor.live?.close();
  }

  /** Ends the stream and stops reconnecting. The history says that its readers ended with the run. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stop.abort();
    const { live } = this.#actor;
    live?.close('end');
    await this.#running;
  }

  /** Whether the stream has reached the last numbers of all chats that it reads. */
  hasReached(ends: ReadonlyMap<string, ChatEnd>): boolean {
    const { live } = this.#actor;
    if (!live || live.isOver) return false;
    return live.followed.every((chatId) => {
      const end = ends.get(chatId);
      const position = live.position(chatId) ?? 0;
      if (!end || position === end.number) return true;
      // Growing messages that nobody writes any more end later. In another epoch the reader is yet to be told that its numbers are over.
      return position > end.number && live.epoch(chatId) === end.epoch;
    });
  }

  async #run(): Promise<void> {
    const actor = this.#actor;
    while (!this.#stopped) {
      let retryAfterMs = 0;
      this.#lostAt ??= actor.journal.now();
      try {
        const { token } = await actor.tokens.get();
        if (this.#stopped) return;
        retryAfterMs = await this.#readOnce(token);
      } catch {
        // There is no token while the service is away.
      }
      if (this.#stopped) return;
      actor.moveOn();
      const { least, most } = retryMs;
      await sleep(Math.min(retryAfterMs, 2_000) + least + actor.random.below(most - least), this.#stop.signal);
    }
  }

  /** Reads until the stream ends; resolves with how long the service asks to wait, in milliseconds. */
  async #readOnce(token: string): Promise<number> {
    const actor = this.#actor;
    const { journal, name: client, user, transportName: via, connection } = actor;
    this.#streams += 1;
    let wait = 0;
    const deps = { connection, token, journal, client, user, via, name: `${client}/${this.#streams}` };
    const live = new LiveStream(deps, {
      added: (chatId) => this.follow(chatId),
      removed: (chatId) => {
        this.cursors.delete(chatId);
        this.#epochs.delete(chatId);
      },
      moved: (chatId, position, epoch) => this.#note(chatId, position, epoch),
      caughtUp: () => this.#noteResumed(live),
      ended: (why, retryAfterMs) => {
        wait = retryAfterMs;
        // The token may have expired, or may have been revoked.
        if (why !== 'client' && !live.isWelcomed) actor.tokens.drop();
      },
    });
    actor.live = live;
    const chats = actor.world.chatsOf(user).map(({ id }) => id);
    if (this.#followsAll) {
      this.#awaited = new Set(this.cursors.keys());
      void live.followAll(Object.fromEntries(this.cursors), Object.fromEntries(this.#epochs));
    } else {
      const followed = via === 'sse' ? [actor.random.pick(chats)].filter((id) => id !== undefined) : chats;
      this.#awaited = new Set(followed);
      for (const chatId of followed) this.#resume(live, chatId);
      if (via === 'sse' && followed.length === 0) setTimeout(() => live.close(), 500);
    }
    await live.over;
    return wait;
  }

  #resume(live: LiveStream, chatId: string): void {
    void live.follow(chatId, this.cursors.get(chatId) ?? 0, this.#epochs.get(chatId));
  }

  /** Numbers of one epoch are comparable; a new epoch may begin before the cursor. */
  #note(chatId: string, position: number, epoch: string): void {
    const isSameEpoch = this.#epochs.get(chatId) === epoch;
    this.cursors.set(chatId, isSameEpoch ? Math.max(position, this.cursors.get(chatId) ?? 0) : position);
    this.#epochs.set(chatId, epoch);
  }

  #noteResumed(live: LiveStream): void {
    const { journal, name: client } = this.#actor;
    if (this.#lostAt === undefined || !this.#awaited) return;
    if ([...this.#awaited].some((chatId) => live.followed.includes(chatId) && !live.isCaughtUp(chatId))) return;
    journal.add({ kind: 'resumed', at: journal.now(), client, begin: this.#lostAt, chats: this.#awaited.size });
    this.#lostAt = undefined;
  }
}
