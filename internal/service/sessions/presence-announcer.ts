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
  /** Milliseconds without a session after which a user is announced as offline. A user who is back by then is not announced at all. */
  graceMs: number;
  /** Chats with more members get no announcements. */
  maxMembers: number;
}

/**
 * Announcements are made in rounds: milliseconds between two rounds, and users of one round. When many users come at once, members of their
 * chats get a few frames with many users each.
 */
const rounds = { intervalMs: 250, maxUsers: 256 };

/** Announces in a user's small chats that the user has come online or gone offline. */
export class PresenceAnnouncer {
  readonly #deps: Deps;
  readonly #options: Options;
  readonly #leaving = new Map<string, { user: User; timer: NodeJS.Timeout }>();
  /** Announcements to be made, by user: the newest of each. */
  readonly #pending = new Map<string, { user: User; online: boolean }>();
  #announcing = false;

  constructor(deps: Deps, options: Options) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The user's first session has begun. */
  online(user: User): void {
    const leaving = this.#leaving.get(user.id);
    if (!leaving) return this.#announce(user, true);
    clearTimeout(leaving.timer);
    this.#leaving.delete(user.id);
  }

  /** The user's last session has ended. */
  offline(user: User): void {
    clearTimeout(this.#leaving.get(user.id)?.timer);
    const timer = setTimeout(() => {
      this.#leaving.delete(user.id);
      this.#announce(user, false);
    }, this.#options.graceMs);
    timer.unref();
    this.#leaving.set(user.id, { user, timer });
  }

  /** Announces nothing more. Users who went offline and are not announced yet are handed over to another node. */
  stop(): void {
    const pending = [...this.#pending.values()].filter(({ online }) => !online);
    this.#deps.presence.handOver([...this.#leaving.values(), ...pending].map(({ user }) => user));
    for (const { timer } of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
    this.#pending.clear();
  }

  #announce(user: User, online: boolean): void {
    this.#pending.delete(user.id);
    this.#pending.set(user.id, { user, online });
    if (!this.#announcing) void this.#announceAll();
  }

  /** Never throws. */
  async #announceAll(): Promise<void> {
    this.#announcing = true;
    while (this.#pending.size > 0) {
      const round = [...this.#pending.values()].slice(0, rounds.maxUsers);
      for (const { user } of round) this.#pending.delete(user.id);
      const pause = sleep(rounds.intervalMs, undefined, { ref: false });
      await Promise.all(round.map((announcement) => this.#publish(announcement)));
      await pause;
    }
    this.#announcing = false;
  }

  /** Never throws. */
  async #publish({ user, online }: { user: User; online: boolean }): Promise<void> {
    const { bus, memberships, presence, log } = this.#deps;
    try {
      // The user may have come or gone on another node meanwhile.
      if ((await presence.isOnline(user.id)) !== online) return;
      for (const chatId of await memberships.listSmallChats(user.id, this.#options.maxMembers)) {
        bus.publishToChat(chatId, { kind: 'ephemeral', event: { kind: 'presence', chatId, user, online } });
      }
    } catch (err) {
      log.warn({ err, userId: user.id }, 'could not announce who is online');
    }
  }
}
