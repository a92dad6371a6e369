import type { Journal } from '../history/journal.ts';

export type Role = 'OWNER' | 'ADMIN' | 'MEMBER' | 'READER';

/** A chat as the clients of the run know it. The service may know better and refuse. */
export interface KnownChat {
  id: string;
  type: 'DIRECT' | 'GROUP' | 'ROOM';
  name: string;
  /** By user id. */
  roles: Map<string, Role>;
  banned: Set<string>;
  deleted: boolean;
  /** The highest number that a client has read in the present epoch. */
  head: number;
  /** By message id, the last messages of users that a client has sent or read. */
  recent: Map<string, KnownMessage>;
}

/** A message as the clients of the run know it. */
export interface KnownMessage {
  id: string;
  chatId: string;
  sender: string;
  /** The highest `update_seq` that is known; 0: the message has no number yet. */
  version: number;
}

/** How many messages of a chat the clients keep in mind. */
const recentMessages = 100;

/** What all clients of a run know together. */
export class World {
  readonly chats = new Map<string, KnownChat>();
  /** Ids of all users of the run. */
  readonly users: string[] = [];
  /** The user who joins every group and room, is never removed, and reads them from beginning to end at the end of the run. */
  auditor = '';
  /** Users who may be banned from the service: their clients reconnect afterwards. */
  readonly sturdy = new Set<string>();
  /** By chat, the ids of messages that were acknowledged before they had a number. */
  readonly owed = new Map<string, Set<string>>();
  /** The ids of messages that may be hidden. */
  readonly hidden = new Set<string>();
  /** How often the database has gone back. */
  epochs = 0;
  /** A part of all names, which distinguishes this run from others. */
  readonly tag: string;
  readonly #journal: Journal;

  readonly #tried = new Map<string, number>();

  constructor(tag: string, journal: Journal) {
    this.tag = tag;
    this.#journal = journal;
  }

  /** Adds and records a chat, unless it is known. `members` are its first members, if they are known. */
  learn(
    chat: Pick<KnownChat, 'id' | 'type' | 'name'>,
    begin: number,
    members?: Record<string, 'OWNER' | 'MEMBER'>,
  ): KnownChat {
    const known = this.chats.get(chat.id);
    if (known) return known;
    const { id, type, name } = chat;
    const roles = new Map(Object.entries(members ?? {}));
    const learned: KnownChat = { id, type, name, roles, banned: new Set(), deleted: false, head: 0, recent: new Map() };
    this.chats.set(id, learned);
    this.#journal.add({ kind: 'chat', at: this.#journal.now(), begin, chatId: id, type, members });
    return learned;
  }

  /** The database has gone back, and has only these chats, with these last numbers and roles of members. */
  goBack(chats: ReadonlyMap<string, { lastSeq: number; roles: Map<string, Role> }>): void {
    this.epochs += 1;
    for (const chat of this.chats.values()) {
      const found = chats.get(chat.id);
      chat.deleted = found === undefined;
      chat.roles = found?.roles ?? new Map();
      chat.head = Math.min(chat.head, found?.lastSeq ?? 0);
    }
    // Messages without a number may be lost, too.
    this.owed.clear();
  }

  /** A client has sent, read or changed a message. */
  notice({ id, chatId, sender, version }: KnownMessage): void {
    const recent = this.chats.get(chatId)?.recent;
    if (!recent) return;
    const known = recent.get(id);
    recent.set(id, { id, chatId, sender, version: Math.max(version, known?.version ?? 0) });
    if (recent.size > recentMessages) recent.delete(recent.keys().next().value!);
  }

  /** When a client first tried this: an attempt whose answer was lost may have succeeded. */
  firstTried(what: string, begin: number): number {
    const first = this.#tried.get(what) ?? begin;
    this.#tried.set(what, first);
    return first;
  }

  /** A message was acknowledged without its number. */
  owe(chatId: string, messageId: string): void {
    const owed = this.owed.get(chatId) ?? new Set();
    this.owed.set(chatId, owed.add(messageId));
  }

  /** The chats that a user is a member of, as far as the clients know. */
  chatsOf(user: string): KnownChat[] {
    return [...this.chats.values()].filter(({ deleted, roles }) => !deleted && roles.has(user));
  }
}
