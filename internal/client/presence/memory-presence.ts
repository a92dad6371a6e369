import type { User } from '../../model/user.ts';
import { OwnSessions } from './own-sessions.ts';
import type { Presence } from './presence.ts';

/** Presence within a single process. */
export class MemoryPresence implements Presence {
  readonly #sessions = new OwnSessions();

  async enter(sessionId: string, user: User): Promise<boolean> {
    return this.#sessions.enter(sessionId, user).first;
  }

  async leave(sessionId: string): Promise<boolean> {
    return this.#sessions.leave(sessionId) !== undefined;
  }

  async isOnline(userId: string): Promise<boolean> {
    return this.#sessions.has(userId);
  }

  async filterOnline(userIds: readonly string[]): Promise<User[]> {
    return this.#sessions.filter(userIds);
  }

  async list(limit: number, afterUserId?: string): Promise<User[]> {
    return this.#sessions.list(limit, afterUserId);
  }

  onGone(): void {}

  onBack(): void {}

  handOver(): void {}

  async close(): Promise<void> {}
}
