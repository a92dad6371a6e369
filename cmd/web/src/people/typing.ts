import type { User } from '../../../../pkg/chat-client/index.ts';
import { Store } from '../store/store.ts';

/** A user counts as typing for this many milliseconds after the last announcement. */
const holdsMs = 6_000;

/** The users who are typing, by chat. */
export class Typing {
  /** By chat id. */
  readonly state = new Store<ReadonlyMap<string, readonly User[]>>(new Map());
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  begin(chatId: string, user: User): void {
    this.#expire(
      chatId,
      user.id,
      setTimeout(() => this.end(chatId, user.id), holdsMs),
    );
    const typing = this.state.value.get(chatId) ?? [];
    if (!typing.some(({ id }) => id === user.id)) this.#set(chatId, [...typing, user]);
  }

  /** Ends a user's typing, after the time or when their message arrives. */
  end(chatId: string, userId: string): void {
    this.#expire(chatId, userId, undefined);
    const typing = this.state.value.get(chatId) ?? [];
    if (typing.some(({ id }) => id === userId)) {
      this.#set(
        chatId,
        typing.filter(({ id }) => id !== userId),
      );
    }
  }

  #expire(chatId: string, userId: string, timer: ReturnType<typeof setTimeout> | undefined): void {
    const key = `${chatId} ${userId}`;
    clearTimeout(this.#timers.get(key));
    if (timer === undefined) this.#timers.delete(key);
    else this.#timers.set(key, timer);
  }

  #set(chatId: string, users: readonly User[]): void {
    const next = new Map(this.state.value);
    if (users.length === 0) next.delete(chatId);
    else next.set(chatId, users);
    this.state.set(next);
  }
}
