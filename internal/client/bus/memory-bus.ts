import type { Bus, ChatPublication, Unsubscribe } from './bus.ts';

/** The bus of a service with a single process. It loses nothing, and calls subscribers before `publish…` returns. */
export class MemoryBus implements Bus {
  readonly state = 'connected';
  readonly #chats = new Handlers<ChatPublication>();
  readonly #memberships = new Handlers<void>();

  publishToChat(chatId: string, publication: ChatPublication): void {
    this.#chats.call(chatId, publication);
  }

  publishMembershipChange(userIds: readonly string[]): void {
    for (const userId of userIds) this.#memberships.call(userId);
  }

  async subscribeToChat(chatId: string, handler: (publication: ChatPublication) => void): Promise<Unsubscribe> {
    return this.#chats.add(chatId, handler);
  }

  async subscribeToMemberships(userId: string, handler: () => void): Promise<Unsubscribe> {
    return this.#memberships.add(userId, handler);
  }

  onLoss(): void {}

  onStateChange(): void {}

  async close(): Promise<void> {}
}

class Handlers<T> {
  readonly #handlers = new Map<string, Set<(value: T) => void>>();

  call(key: string, value: T): void {
    for (const handler of this.#handlers.get(key) ?? []) handler(value);
  }

  add(key: string, handler: (value: T) => void): Unsubscribe {
    const handlers = this.#handlers.get(key) ?? new Set();
    this.#handlers.set(key, handlers.add(handler));
    return async () => {
      handlers.delete(handler);
      if (handlers.size === 0 && this.#handlers.get(key) === handlers) this.#handlers.delete(key);
    };
  }
}
