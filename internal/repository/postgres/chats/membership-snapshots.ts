import { type Kysely, sql } from 'kysely';
import type { User } from '../../../model/user.ts';
import type { MembershipSnapshot } from '../../chat-repository.ts';
import { isAnyOf } from '../connection/is-any-of.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';

export interface MembershipKey {
  chatId: string;
  userId: string;
}

export interface MembershipsKey {
  userId: string;
  limit: number;
}

export interface SmallChatsKey {
  userId: string;
  maxMembers: number;
}

type SnapshotRow = MembershipSnapshot & { place: number };

const columns = sql.raw(
  'm.chat_id as "chatId", m.role, m.joined_seq as "joinedSeq", c.last_seq as "lastSeq", c.member_count as "memberCount"',
);

/** Each user's membership in each chat; undefined where the user is not a member. */
export function selectMembershipsByChat(
  db: Kysely<Tables>,
  keys: readonly MembershipKey[],
): Promise<readonly (MembershipSnapshot | undefined)[]> {
  return withStorageErrors(async () => {
    const chatIds = keys.map(({ chatId }) => chatId);
    const userIds = keys.map(({ userId }) => userId);
    const { rows } = await sql<SnapshotRow>`
      select k.place::int as place, ${columns}
      from unnest(${chatIds}::uuid[], ${userIds}::text[]) with ordinality as k (chat_id, user_id, place)
      join members m on m.chat_id = k.chat_id and m.user_id = k.user_id
      join chats c on c.id = m.chat_id`.execute(db);
    const found = new Map(rows.map(({ place, ...membership }) => [place, membership]));
    return keys.map((_, i) => found.get(i + 1));
  });
}

/** Each user's memberships, those in the chats that changed last first. */
export function selectMemberships(
  db: Kysely<Tables>,
  keys: readonly MembershipsKey[],
): Promise<readonly MembershipSnapshot[][]> {
  return withStorageErrors(async () => {
    const userIds = keys.map(({ userId }) => userId);
    const limits = keys.map(({ limit }) => limit);
    const { rows } = await sql<SnapshotRow>`
      select k.place::int as place, s."chatId", s.role, s."joinedSeq", s."lastSeq", s."memberCount"
      from unnest(${userIds}::text[], ${limits}::int[]) with ordinality as k (user_id, max, place)
      cross join lateral (
        select ${columns}, c.changed_at from members m join chats c on c.id = m.chat_id
        where m.user_id = k.user_id order by c.changed_at desc limit k.max) s
      order by k.place, s.changed_at desc`.execute(db);
    const lists: MembershipSnapshot[][] = keys.map(() => []);
    for (const { place, ...membership } of rows) lists[place - 1]!.push(membership);
    return lists;
  });
}

/** Ids of each user's chats that have no more members than that. */
export function listSmallChats(db: Kysely<Tables>, keys: readonly SmallChatsKey[]): Promise<readonly string[][]> {
  return withStorageErrors(async () => {
    const userIds = keys.map(({ userId }) => userId);
    const maxima = keys.map(({ maxMembers }) => maxMembers);
    const { rows } = await sql<{ place: number; id: string }>`
      select k.place::int as place, c.id
      from unnest(${userIds}::text[], ${maxima}::int[]) with ordinality as k (user_id, max, place)
      join members m on m.user_id = k.user_id
      join chats c on c.id = m.chat_id and c.member_count <= k.max`.execute(db);
    const lists: string[][] = keys.map(() => []);
    for (const { place, id } of rows) lists[place - 1]!.push(id);
    return lists;
  });
}

/** A number for each user that is known, which rises whenever one of their memberships begins or ends. */
export function listMembershipVersions(db: Kysely<Tables>, userIds: readonly string[]): Promise<Map<string, number>> {
  return withStorageErrors(async () => {
    const rows = await db
      .selectFrom('users')
      .select(['id', 'membership_version'])
      .where(({ ref }) => isAnyOf(ref('id'), userIds, 'text'))
      .execute();
    return new Map(rows.map(({ id, membership_version }) => [id, membership_version]));
  });
}

/**
 * Remembers the users' names, of each the one given last. On its own, never within a change: it locks rows of users, in the order of their
 * ids as changes do.
 */
export function rememberUsers(db: Kysely<Tables>, users: readonly User[]): Promise<undefined[]> {
  return withStorageErrors(async () => {
    const names = new Map(users.map(({ id, name }) => [id, name]));
    await sql`
      insert into users (id, name)
      select k.id, k.name from unnest(${[...names.keys()]}::text[], ${[...names.values()]}::text[]) as k (id, name)
      where not exists (select from users u where u.id = k.id and u.name = k.name)
      order by k.id
      on conflict (id) do update set name = excluded.name where users.name <> excluded.name`.execute(db);
    return users.map(() => undefined);
  });
}
