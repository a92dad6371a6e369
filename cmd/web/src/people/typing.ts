import type { User } from '../../../../pkg/chat-client/index.ts';
import { Store } from '../store/store.ts';

/** After so long without another word somebody is not typing any more, in milliseconds. */
const holdsMs = 6_000;

/** Who is typing in which chat. */
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

  /** By time, or by what was being typed. */
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
