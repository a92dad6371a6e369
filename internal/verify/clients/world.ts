import type { Journal } from '../history/journal.ts';

/** A chat as the clients of the run believe it to be. The service may know better: then it refuses. */
export interface KnownChat {
  id: string;
  type: 'DIRECT' | 'GROUP' | 'ROOM';
  name: string;
  /** By user id. */
  roles: Map<string, 'OWNER' | 'ADMIN' | 'MEMBER' | 'READER'>;
  banned: Set<string>;
  deleted: boolean;
  /** The highest number that anybody has seen. */
  head: number;
}

/** What the clients of a run know together. */
export class World {
  readonly chats = new Map<string, KnownChat>();
  /** Ids of all users of the run. */
  readonly users: string[] = [];
  /** The user who is brought into every chat and never taken out, to read it whole at the end. */
  auditor = '';
  /** Users whose clients come back whatever happens to them. */
  readonly sturdy = new Set<string>();
  /** By chat, the ids of messages that were acknowledged before they had a number. */
  readonly owed = new Map<string, Set<string>>();
  /** Makes the names of this run differ from those of others. */
  readonly tag: string;
  readonly #journal: Journal;

  readonly #tried = new Map<string, number>();

  constructor(tag: string, journal: Journal) {
    this.tag = tag;
    this.#journal = journal;
  }

  /** Takes note of a chat; `members`: those it began with, if that is known. */
  learn(
    chat: Pick<KnownChat, 'id' | 'type' | 'name'>,
    begin: number,
    members?: Record<string, 'OWNER' | 'MEMBER'>,
  ): KnownChat {
    const known = this.chats.get(chat.id);
    if (known) return known;
    const { id, type, name } = chat;
    const roles = new Map(Object.entries(members ?? {}));
    const learned: KnownChat = { id, type, name, roles, banned: new Set(), deleted: false, head: 0 };
    this.chats.set(id, learned);
    this.#journal.add({ kind: 'chat', at: this.#journal.now(), begin, chatId: id, type, members });
    return learned;
  }

  /** When somebody first tried that: an attempt whose answer was lost may have done it. */
  firstTried(what: string, begin: number): number {
    const first = this.#tried.get(what) ?? begin;
    this.#tried.set(what, first);
    return first;
  }

  /** A message was acknowledged, and its number follows. */
  owe(chatId: string, messageId: string): void {
    const owed = this.owed.get(chatId) ?? new Set();
    this.owed.set(chatId, owed.add(messageId));
  }

  /** The chats that a user is believed to be a member of. */
  chatsOf(user: string): KnownChat[] {
    return [...this.chats.values()].filter(({ deleted, roles }) => !deleted && roles.has(user));
  }
}
