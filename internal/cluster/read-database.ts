import type { Role } from '../verify/clients/world.ts';

/** What a database has of the chats, and the epoch in which it goes on. */
export interface FoundDatabase {
  epoch: string;
  /** By chat id. */
  chats: Map<string, { lastSeq: number; roles: Map<string, Role> }>;
}

/** Runs a statement in the database that is read. */
type Query = <Row extends Record<string, unknown>>(sql: string) => Promise<Row[]>;

/** Reads a database that nobody else can reach yet. Begins its epoch. */
export async function readDatabase(query: Query): Promise<FoundDatabase> {
  const [{ epoch } = { epoch: '' }] = await query<{ epoch: string }>('select (note_epoch()).id as epoch');
  const rows = await query<{ id: string; last_seq: string; roles: Record<string, Role> | null }>(
    `select c.id, c.last_seq, (select json_object_agg(m.user_id, m.role) from members m where m.chat_id = c.id) as roles
       from chats c`,
  );
  const chats = rows.map(({ id, last_seq, roles }): [string, { lastSeq: number; roles: Map<string, Role> }] => [
    id,
    { lastSeq: Number(last_seq), roles: new Map(Object.entries(roles ?? {})) },
  ]);
  return { epoch, chats: new Map(chats) };
}
