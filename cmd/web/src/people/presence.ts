import type { ChatClient, User } from '../../../../pkg/chat-client/index.ts';
import { Store } from '../store/store.ts';

/** Number of online users to read, of all users of the service. */
const pageSize = 200;

/** Who is online, as far as it matters to this page: people in the user's chats, and some others. */
export class Presence {
  /** By user id. */
  readonly state = new Store<ReadonlyMap<string, User>>(new Map());
  readonly #client: ChatClient;

  constructor(client: ChatClient) {
    this.#client = client;
  }

  /** Reads again which users are online. Throws ChatClientError. */
  async load(): Promise<void> {
    const { users } = await this.#client.call('listOnlineUsers', { pageSize });
    this.state.set(new Map(users.map((user) => [user.id, user])));
  }

  /** Reads which members of a chat are online. Throws ChatClientError. */
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
