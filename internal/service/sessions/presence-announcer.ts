import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bus } from '../../client/bus/bus.ts';
import type { Presence } from '../../client/presence/presence.ts';
import type { User } from '../../model/user.ts';
import type { MembershipRepository } from '../../repository/membership-repository.ts';

interface Deps {
  bus: Bus;
  memberships: MembershipRepository;
  presence: Presence;
  log: Logger;
}

interface Options {
  /** How long a user may be away before it is told, in milliseconds: whoever comes back by then was never seen to go. */
  graceMs: number;
  /** Chats with more members are not told. */
  maxMembers: number;
}

/**
 * News are told in rounds that begin so many milliseconds apart, each of at most so many users: when many come at once, their friends get a few
 * frames with all of them, not one for each.
 */
const rounds = { intervalMs: 250, maxUsers: 256 };

/** Tells the members of a user's small chats when the user comes online or has gone. */
export class PresenceAnnouncer {
  readonly #deps: Deps;
  readonly #options: Options;
  readonly #leaving = new Map<string, { user: User; timer: NodeJS.Timeout }>();
  /** By user, what is still to be told of them: of several changes the newest. */
  readonly #untold = new Map<string, { user: User; online: boolean }>();
  #telling = false;

  constructor(deps: Deps, options: Options) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The user's first session has begun. */
  online(user: User): void {
    const leaving = this.#leaving.get(user.id);
    if (!leaving) return this.#tell(user, true);
    clearTimeout(leaving.timer);
    this.#leaving.delete(user.id);
  }

  /** The user's last session has ended. */
  offline(user: User): void {
    clearTimeout(this.#leaving.get(user.id)?.timer);
    const timer = setTimeout(() => {
      this.#leaving.delete(user.id);
      this.#tell(user, false);
    }, this.#options.graceMs);
    timer.unref();
    this.#leaving.set(user.id, { user, timer });
  }

  /** Tells nothing more: what is still to be told of those who went is left to another node. */
  stop(): void {
    const untold = [...this.#untold.values()].filter(({ online }) => !online);
    this.#deps.presence.handOver([...this.#leaving.values(), ...untold].map(({ user }) => user));
    for (const { timer } of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
    this.#untold.clear();
  }

  #tell(user: User, online: boolean): void {
    this.#untold.delete(user.id);
    this.#untold.set(user.id, { user, online });
    if (!this.#telling) void this.#tellAll();
  }

  /** Never throws. */
  async #tellAll(): Promise<void> {
    this.#telling = true;
    while (this.#untold.size > 0) {
      const round = [...this.#untold.values()].slice(0, rounds.maxUsers);
      for (const { user } of round) this.#untold.delete(user.id);
      const pause = sleep(rounds.intervalMs, undefined, { ref: false });
      await Promise.all(round.map((news) => this.#publish(news)));
      await pause;
    }
    this.#telling = false;
  }

  /** Never throws. */
  async #publish({ user, online }: { user: User; online: boolean }): Promise<void> {
    const { bus, memberships, presence, log } = this.#deps;
    try {
      // They may have come or gone on another node meanwhile.
      if ((await presence.isOnline(user.id)) !== online) return;
      for (const chatId of await memberships.listSmallChats(user.id, this.#options.maxMembers)) {
        bus.publishToChat(chatId, { kind: 'ephemeral', event: { kind: 'presence', chatId, user, online } });
      }
    } catch (err) {
      log.warn({ err, userId: user.id }, 'could not tell who is online');
    }
  }
}
