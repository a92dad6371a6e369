import type { User } from '../../model/user.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import type { RedisScript } from '../redis/redis-script.ts';
import type { PresenceChange, PresenceStore } from './presence-store.ts';
import {
  abandonScript,
  beatScript,
  changeScript,
  filterOnlineScript,
  isOnlineScript,
  listScript,
  resetScript,
  sweepScript,
} from './redis-presence-scripts.ts';

interface Options {
  /** All keys begin with it. */
  prefix: string;
  /** How long a node without a heartbeat counts as living, in milliseconds. */
  deadAfterMs: number;
}

/** The most users in one script: Redis serves no other client while a script runs. */
const maxUsersAtOnce = 500;

/** Stores presence in Redis. Each method is one or more scripts; all times are the server's. */
export class RedisPresenceStore implements PresenceStore {
  readonly #client: RedisClient;
  readonly #base: string;
  readonly #deadAfterMs: number;

  constructor(client: RedisClient, { prefix, deadAfterMs }: Options) {
    this.#client = client;
    this.#base = `${prefix}{presence}`;
    this.#deadAfterMs = deadAfterMs;
  }

  async beat(nodeId: string, version: number): Promise<boolean> {
    return (await this.#run(beatScript, nodeId, version)) === 1;
  }

  async replace(nodeId: string, version: number, users: readonly User[]): Promise<void> {
    await this.#run(resetScript, nodeId, version);
    for (let at = 0; at < users.length; at += maxUsersAtOnce) {
      const present = users.slice(at, at + maxUsersAtOnce);
      if (!(await this.change(nodeId, version, { present, absent: [] })))
        throw new Error('the node was counted as dead while it entered its users');
    }
  }

  async change(nodeId: string, version: number, { present, absent }: PresenceChange): Promise<Set<string> | undefined> {
    const users = present.flatMap(({ id, name }) => [id, name]);
    const elsewhere = await this.#run(changeScript, nodeId, version, present.length, ...users, ...absent);
    return elsewhere === null ? undefined : new Set(elsewhere as string[]);
  }

  async sweep(): Promise<User[]> {
    const gone: User[] = [];
    for (;;) {
      const some = await this.#run(sweepScript);
      if (some === null) return gone;
      gone.push(...toUsers(some));
    }
  }

  async abandon(nodeId: string): Promise<void> {
    await this.#run(abandonScript, nodeId);
  }

  async isOnline(userId: string): Promise<boolean> {
    return (await this.#run(isOnlineScript, userId)) === 1;
  }

  async filterOnline(userIds: readonly string[]): Promise<User[]> {
    const online: User[] = [];
    for (let at = 0; at < userIds.length; at += maxUsersAtOnce) {
      online.push(...toUsers(await this.#run(filterOnlineScript, ...userIds.slice(at, at + maxUsersAtOnce))));
    }
    return online;
  }

  async list(limit: number, afterUserId = ''): Promise<User[]> {
    return toUsers(await this.#run(listScript, limit, afterUserId));
  }

  #run(script: RedisScript, ...args: (string | number)[]): Promise<unknown> {
    return script.run(this.#client, this.#base, [this.#deadAfterMs, ...args]);
  }
}

/** Reads users from a list of alternating ids and names. */
function toUsers(reply: unknown): User[] {
  const words = reply as string[];
  const users: User[] = [];
  for (let at = 0; at + 1 < words.length; at += 2) users.push({ id: words[at] ?? '', name: words[at + 1] ?? '' });
  return users;
}
