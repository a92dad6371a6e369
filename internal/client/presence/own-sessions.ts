import type { User } from '../../model/user.ts';

/** The open sessions of this process, by user. */
export class OwnSessions {
  readonly #userOf = new Map<string, string>();
  readonly #users = new Map<string, { name: string; sessions: Set<string> }>();

  /** Whether it is the user's first session here, and whether others know the user by this name already. */
  enter(sessionId: string, { id, name }: User): { first: boolean; known: boolean } {
    const entry = this.#users.get(id) ?? { name, sessions: new Set() };
    const first = entry.sessions.size === 0;
    const known = !first && entry.name === name;
    entry.name = name;
    entry.sessions.add(sessionId);
    this.#users.set(id, entry);
    this.#userOf.set(sessionId, id);
    return { first, known };
  }

  /** The user, if that was their last session here. */
  leave(sessionId: string): User | undefined {
    const id = this.#userOf.get(sessionId);
    const entry = id === undefined ? undefined : this.#users.get(id);
    if (id === undefined || !entry) return undefined;
    this.#userOf.delete(sessionId);
    entry.sessions.delete(sessionId);
    if (entry.sessions.size > 0) return undefined;
    this.#users.delete(id);
    return { id, name: entry.name };
  }

  has(userId: string): boolean {
    return this.#users.has(userId);
  }

  /** By the name that the user gave last. */
  find(userId: string): User | undefined {
    const entry = this.#users.get(userId);
    return entry && { id: userId, name: entry.name };
  }

  filter(userIds: readonly string[]): User[] {
    return userIds.flatMap((id) => this.find(id) ?? []);
  }

  all(): User[] {
    return [...this.#users].map(([id, { name }]) => ({ id, name }));
  }

  /** Users by id, from the first after `afterUserId`. */
  list(limit: number, afterUserId?: string): User[] {
    const ids = [...this.#users.keys()].filter((id) => afterUserId === undefined || id > afterUserId).sort();
    return ids.slice(0, limit).map((id) => ({ id, name: this.#users.get(id)?.name ?? '' }));
  }
}
