import type pg from 'pg';
import type { User } from '../../model/user.ts';
import type { PresenceChange, PresenceStore } from './presence-store.ts';

/** Stores presence in PostgreSQL. All times are the database's, because the nodes' clocks may differ. */
export class PostgresPresenceStore implements PresenceStore {
  readonly #pool: pg.Pool;
  readonly #deadAfterMs: number;

  constructor({ pool }: { pool: pg.Pool }, { deadAfterMs }: { deadAfterMs: number }) {
    this.#pool = pool;
    this.#deadAfterMs = deadAfterMs;
  }

  async beat(nodeId: string, version: number): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      'update presence_nodes set seen_at = clock_timestamp() where id = $1 and version = $2',
      [nodeId, version],
    );
    return rowCount === 1;
  }

  async replace(nodeId: string, version: number, users: readonly User[]): Promise<void> {
    // Locks the node's row before it writes the rows of the node's users, as `change` and `sweep` do.
    await this.#pool.query(
      `with node as (
         insert into presence_nodes (id, seen_at, version) values ($1, clock_timestamp(), $2)
         on conflict (id) do update set seen_at = excluded.seen_at, version = excluded.version
         returning id
       ), removed as (
         delete from presence p using node where p.node_id = node.id and p.user_id <> all ($3)
       )
       insert into presence (user_id, node_id, name, entered_at)
       select u.id, node.id, u.name, clock_timestamp() from node, unnest($3::text[], $4::text[]) as u (id, name)
       on conflict (user_id, node_id) do update set name = excluded.name`,
      [nodeId, version, users.map(({ id }) => id), users.map(({ name }) => name)],
    );
  }

  async change(nodeId: string, version: number, { present, absent }: PresenceChange): Promise<Set<string> | undefined> {
    const { rows } = await this.#pool.query<{ known: boolean; elsewhere: string[] }>(
      `with node as (
         update presence_nodes set seen_at = clock_timestamp(), version = $2 where id = $1 returning id
       ), removed as (
         delete from presence p using node where p.node_id = node.id and p.user_id = any ($5)
       ), entered as (
         insert into presence (user_id, node_id, name, entered_at)
         select u.id, node.id, u.name, clock_timestamp() from node, unnest($3::text[], $4::text[]) as u (id, name)
         on conflict (user_id, node_id) do update set name = excluded.name, entered_at = excluded.entered_at
       )
       select exists (select from node) as known, ${elsewhere('$3', '$6')} as elsewhere`,
      [nodeId, version, present.map(({ id }) => id), present.map(({ name }) => name), absent, this.#deadAfterMs],
    );
    const [{ known, elsewhere: still } = { known: false, elsewhere: [] }] = rows;
    if (!known) return undefined;
    return new Set([...still, ...(await this.#findElsewhere(nodeId, absent))]);
  }

  async sweep(): Promise<User[]> {
    const { rows } = await this.#pool.query<User>(
      `with dead as (
         delete from presence_nodes where id in (
           select id from presence_nodes where not ${lives('seen_at', '$1')} for update skip locked
         ) returning id
       ), gone as (
         delete from presence p using dead where p.node_id = dead.id returning p.user_id, p.name
       )
       select distinct on (gone.user_id) gone.user_id as id, gone.name from gone
       where not exists (
         select from presence p join presence_nodes n on n.id = p.node_id
         where p.user_id = gone.user_id and ${lives('n.seen_at', '$1')}
       )`,
      [this.#deadAfterMs],
    );
    return rows;
  }

  async abandon(nodeId: string): Promise<void> {
    await this.#pool.query("update presence_nodes set seen_at = '-infinity' where id = $1", [nodeId]);
  }

  async isOnline(userId: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `select from presence p join presence_nodes n on n.id = p.node_id
       where p.user_id = $1 and ${lives('n.seen_at', '$2')} limit 1`,
      [userId, this.#deadAfterMs],
    );
    return rowCount === 1;
  }

  async filterOnline(userIds: readonly string[]): Promise<User[]> {
    const { rows } = await this.#pool.query<User>(
      `select distinct on (user_id) user_id as id, name from presence
       where user_id = any ($1) and node_id = any (array(select id from presence_nodes where ${lives('seen_at', '$2')}))
       order by user_id, entered_at desc`,
      [userIds, this.#deadAfterMs],
    );
    return rows;
  }

  async list(limit: number, afterUserId = ''): Promise<User[]> {
    const { rows } = await this.#pool.query<User>(
      `select distinct on (user_id) user_id as id, name from presence
       where user_id > $1 and node_id = any (array(select id from presence_nodes where ${lives('seen_at', '$3')}))
       order by user_id, entered_at desc limit $2`,
      [afterUserId, limit, this.#deadAfterMs],
    );
    return rows;
  }

  /** A separate statement, after the change has been committed: if a user leaves two nodes at the same time, at least one node sees that it was the last. */
  async #findElsewhere(nodeId: string, userIds: readonly string[]): Promise<string[]> {
    if (userIds.length === 0) return [];
    const { rows } = await this.#pool.query<{ elsewhere: string[] }>(`select ${elsewhere('$2', '$3')} as elsewhere`, [
      nodeId,
      userIds,
      this.#deadAfterMs,
    ]);
    return rows[0]?.elsewhere ?? [];
  }
}

/** SQL for whether a node last seen at `seenAt` counts as living. */
function lives(seenAt: string, deadAfterMs: string): string {
  return `(${seenAt} > clock_timestamp() - ${deadAfterMs} * interval '1 millisecond')`;
}

/** SQL for the ids of those users who have a session on a living node other than $1. */
function elsewhere(userIds: string, deadAfterMs: string): string {
  return `array(
    select p.user_id from presence p join presence_nodes n on n.id = p.node_id
    where p.user_id = any (${userIds}) and p.node_id <> $1 and ${lives('n.seen_at', deadAfterMs)}
  )`;
}
