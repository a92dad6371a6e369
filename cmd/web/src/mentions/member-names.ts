import type { ChatClient, User } from '../../../../pkg/chat-client/index.ts';

/** Names are read anew after this many milliseconds: members come and go. */
const validMs = 30_000;
/** A page size that every service accepts. Of larger chats the first members are suggested. */
const pageSize = 200;

/** The members of chats by whose names users are mentioned. */
export class MemberNames {
  readonly #client: ChatClient;
  readonly #known = new Map<string, { at: number; users: Promise<User[]> }>();

  constructor(client: ChatClient) {
    this.#client = client;
  }

  /** Throws ChatClientError. */
  async load(chatId: string): Promise<User[]> {
    const known = this.#known.get(chatId);
    if (known && Date.now() - known.at < validMs) return known.users;
    const users = this.#read(chatId);
    this.#known.set(chatId, { at: Date.now(), users });
    users.catch(() => this.#known.delete(chatId));
    return users;
  }

  async #read(chatId: string): Promise<User[]> {
    const { members } = await this.#client.call('listMembers', { chatId, pageSize });
    return members.flatMap(({ user }) => (user ? [user] : []));
  }
}
