import type { ChatClient, User } from '../../../../pkg/chat-client/index.ts';
import { Meanwhile } from '../store/meanwhile.ts';
import { Store } from '../store/store.ts';

/** Number of online users to read, of all users of the service. */
const pageSize = 200;

type Online = ReadonlyMap<string, User>;

/** Who is online, as far as it matters to this page: people in the user's chats, and some others. */
export class Presence {
  /** By user id. */
  readonly state = new Store<Online>(new Map());
  readonly #client: ChatClient;
  readonly #meanwhile = new Meanwhile<(online: Online) => Online>();

  constructor(client: ChatClient) {
    this.#client = client;
  }

  /** Reads again which users are online. Throws ChatClientError. */
  async load(): Promise<void> {
    await this.#meanwhile.during(
      () => this.#client.call('listOnlineUsers', { pageSize }),
      ({ users }, happened) => this.state.set(applied(happened, withUsers(new Map(), users))),
    );
  }

  /** Reads which members of a chat are online. Throws ChatClientError. */
  async loadChat(chatId: string): Promise<void> {
    await this.#meanwhile.during(
      () => this.#client.call('listOnlineUsers', { chatId, pageSize }),
      ({ users }, happened) => this.#happened((online) => applied(happened, withUsers(online, users))),
    );
  }

  tell(user: User, online: boolean): void {
    this.#happened((users) => {
      if (online) return withUsers(users, [user]);
      return new Map([...users].filter(([id]) => id !== user.id));
    });
  }

  #happened(happening: (online: Online) => Online): void {
    this.#meanwhile.happened(happening);
    this.state.update(happening);
  }
}

function withUsers(online: Online, users: readonly User[]): Online {
  return new Map([...online, ...users.map((user) => [user.id, user] as const)]);
}

function applied(happened: readonly ((online: Online) => Online)[], online: Online): Online {
  return happened.reduce((before, happening) => happening(before), online);
}
