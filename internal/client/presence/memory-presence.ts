import type { User } from '../../model/chat.ts';
import type { Presence } from './presence.ts';

/** Presence within one process. */
export class MemoryPresence implements Presence {
  readonly #bySession = new Map<string, User>();
  readonly #sessionsOf = new Map<string, Set<string>>();

  async enter(sessionId: string, user: User): Promise<boolean> {
    const sessions = this.#sessionsOf.get(user.id) ?? new Set();
    this.#bySession.set(sessionId, user);
    this.#sessionsOf.set(user.id, sessions.add(sessionId));
    return sessions.size === 1;
  }

  async leave(sessionId: string): Promise<boolean> {
    const user = this.#bySession.get(sessionId);
    if (!user) return false;
    this.#bySession.delete(sessionId);
    const sessions = this.#sessionsOf.get(user.id);
    sessions?.delete(sessionId);
    return sessions?.size === 0 && this.#sessionsOf.delete(user.id);
  }

  async isOnline(userId: string): Promise<boolean> {
    return this.#sessionsOf.has(userId);
  }

  async list(limit: number, afterUserId?: string): Promise<User[]> {
    const ids = [...this.#sessionsOf.keys()].filter((id) => afterUserId === undefined || id > afterUserId).sort();
    return ids.slice(0, limit).map((id) => this.#user(id));
  }

  async close(): Promise<void> {}

  /** By the name that the newest session gave. */
  #user(id: string): User {
    const newest = [...(this.#sessionsOf.get(id) ?? [])].at(-1) ?? '';
    return this.#bySession.get(newest) ?? { id, name: '' };
  }
}
