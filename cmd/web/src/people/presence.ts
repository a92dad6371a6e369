import type { ChatClient, User } from '../../../../pkg/chat-client/index.ts';
import { Store } from '../store/store.ts';

/** How many of all users are asked for. */
const pageSize = 200;

/** Who is online, as far as it matters to this page: people in the user's chats, and some others. */
export class Presence {
  /** By user id. */
  readonly state = new Store<ReadonlyMap<string, User>>(new Map());
  readonly #client: ChatClient;

  constructor(client: ChatClient) {
    this.#client = client;
  }

  /** Asks anew who is online. Throws ChatClientError. */
  async load(): Promise<void> {
    const { users } = await this.#client.call('listOnlineUsers', { pageSize });
    this.state.set(new Map(users.map((user) => [user.id, user])));
  }

  /** Asks who of a chat is online. Throws ChatClientError. */
  async loadChat(chatId: string): Promise<void> {
    const { users } = await this.#client.call('listOnlineUsers', { chatId, pageSize });
    this.state.update((online) => new Map([...online, ...users.map((user) => [user.id, user] as const)]));
  }

  tell(user: User, online: boolean): void {
    this.state.update((users) => {
      const next = new Map(users);
      if (online) next.set(user.id, user);
      else next.delete(user.id);
      return next;
    });
  }
}
