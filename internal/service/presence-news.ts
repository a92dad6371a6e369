import type { Logger } from 'pino';
import type { Bus } from '../client/bus/bus.ts';
import type { Presence } from '../client/presence/presence.ts';
import type { User } from '../model/chat.ts';
import type { ChatRepository } from '../repository/chat-repository.ts';

interface Deps {
  bus: Bus;
  chats: ChatRepository;
  presence: Presence;
  log: Logger;
}

interface Options {
  /** How long a user may be away before it is told, in milliseconds: whoever comes back by then was never seen to go. */
  graceMs: number;
  /** Chats with more members are not told. */
  maxMembers: number;
}

/** Tells the members of a user's small chats when the user comes online or has gone. */
export class PresenceNews {
  readonly #deps: Deps;
  readonly #options: Options;
  readonly #leaving = new Map<string, NodeJS.Timeout>();

  constructor(deps: Deps, options: Options) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The user's first session has begun. */
  came(user: User): void {
    const timer = this.#leaving.get(user.id);
    if (!timer) return this.#tell(user, true);
    clearTimeout(timer);
    this.#leaving.delete(user.id);
  }

  /** The user's last session has ended. */
  went(user: User): void {
    clearTimeout(this.#leaving.get(user.id));
    const timer = setTimeout(() => {
      this.#leaving.delete(user.id);
      this.#tell(user, false);
    }, this.#options.graceMs);
    timer.unref();
    this.#leaving.set(user.id, timer);
  }

  stop(): void {
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
  }

  #tell(user: User, online: boolean): void {
    this.#publish(user, online).catch((err) =>
      this.#deps.log.warn({ err, userId: user.id }, 'could not tell who is online'),
    );
  }

  async #publish(user: User, online: boolean): Promise<void> {
    const { bus, chats, presence } = this.#deps;
    // They may have come or gone on another node meanwhile.
    if ((await presence.isOnline(user.id)) !== online) return;
    for (const chatId of await chats.listSmallChats(user.id, this.#options.maxMembers)) {
      bus.publishToChat(chatId, { kind: 'signal', signal: { kind: 'presence', chatId, user, online } });
    }
  }
}
