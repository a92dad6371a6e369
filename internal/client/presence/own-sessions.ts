import type { User } from '../../model/user.ts';

/** The open sessions of this process, by user. */
export class OwnSessions {
  readonly #userOf = new Map<string, string>();
  readonly #users = new Map<string, { name: string; sessions: Set<string> }>();

  /** Adds a session. `first`: it is the user's only session here. `known`: the user was online here with the same name, so nothing must be written. */
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

  /** Removes a session. Returns the user if it was their last one here. */
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

  /** Returns the user with their latest name; undefined without a session here. */
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

  /** Returns up to `limit` users with ids after `afterUserId`, in the order of their ids. */
  list(limit: number, afterUserId?: string): User[] {
    const ids = [...this.#users.keys()].filter((id) => afterUserId === undefined || id > afterUserId).sort();
    return ids.slice(0, limit).map((id) => ({ id, name: this.#users.get(id)?.name ?? '' }));
  }
}
