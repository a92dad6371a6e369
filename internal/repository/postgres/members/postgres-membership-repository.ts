import { type Kysely, sql } from 'kysely';
import type { MembershipRepository, MembershipSnapshot } from '../../membership-repository.ts';
import type { Database } from '../connection/database.ts';
import { isAnyOf } from '../connection/is-any-of.ts';
import { ReadBatch } from '../connection/read-batch.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';

interface ChatKey {
  chatId: string;
  userId: string;
}

interface UserKey {
  userId: string;
  limit: number;
}

interface SmallChatsKey {
  userId: string;
  maxMembers: number;
}

type SnapshotRow = MembershipSnapshot & { place: number };

const columns = sql.raw(
  'm.chat_id as "chatId", m.role, m.joined_seq as "joinedSeq", c.last_seq as "lastSeq", c.member_count as "memberCount"',
);

/** Every stream that opens asks these questions, and thousands of streams open together when a node ends: each kind is a `ReadBatch`. */
export class PostgresMembershipRepository implements MembershipRepository {
  readonly #db: Kysely<Tables>;
  readonly #ofChats = new ReadBatch((keys: readonly ChatKey[]) => this.#readOfChats(keys));
  readonly #ofUsers = new ReadBatch((keys: readonly UserKey[]) => this.#readOfUsers(keys));
  readonly #smallChats = new ReadBatch((keys: readonly SmallChatsKey[]) => this.#readSmallChats(keys));
  readonly #versions = new ReadBatch(async (userIds: readonly string[]) => {
    const versions = await this.#readVersions(userIds);
    return userIds.map((userId) => versions.get(userId));
  });

  constructor({ reads }: Database) {
    this.#db = reads;
  }

  find(chatId: string, userId: string): Promise<MembershipSnapshot | undefined> {
    return this.#ofChats.load({ chatId, userId });
  }

  listOfUser(userId: string, limit: number): Promise<MembershipSnapshot[]> {
    return this.#ofUsers.load({ userId, limit });
  }

  listSmallChats(userId: string, maxMembers: number): Promise<string[]> {
    return this.#smallChats.load({ userId, maxMembers });
  }

  async listVersions(userIds: readonly string[]): Promise<Map<string, number>> {
    const [only] = userIds;
    if (only === undefined || userIds.length > 1) return this.#readVersions(userIds);
    const version = await this.#versions.load(only);
    return new Map(version === undefined ? [] : [[only, version]]);
  }

  #readOfChats(keys: readonly ChatKey[]): Promise<readonly (MembershipSnapshot | undefined)[]> {
    return withStorageErrors(async () => {
      const chatIds = keys.map(({ chatId }) => chatId);
      const userIds = keys.map(({ userId }) => userId);
      const { rows } = await sql<SnapshotRow>`
        select k.place::int as place, ${columns}
        from unnest(${chatIds}::uuid[], ${userIds}::text[]) with ordinality as k (chat_id, user_id, place)
        join members m on m.chat_id = k.chat_id and m.user_id = k.user_id
        join chats c on c.id = m.chat_id`.execute(this.#db);
      const found = new Map(rows.map(({ place, ...membership }) => [place, membership]));
      return keys.map((_, i) => found.get(i + 1));
    });
  }

  #readOfUsers(keys: readonly UserKey[]): Promise<readonly MembershipSnapshot[][]> {
    return withStorageErrors(async () => {
      const userIds = keys.map(({ userId }) => userId);
      const limits = keys.map(({ limit }) => limit);
      const { rows } = await sql<SnapshotRow>`
        select k.place::int as place, s."chatId", s.role, s."joinedSeq", s."lastSeq", s."memberCount"
        from unnest(${userIds}::text[], ${limits}::int[]) with ordinality as k (user_id, max, place)
        cross join lateral (
          select ${columns}, c.changed_at from members m join chats c on c.id = m.chat_id
          where m.user_id = k.user_id order by c.changed_at desc limit k.max) s
        order by k.place, s.changed_at desc`.execute(this.#db);
      const lists: MembershipSnapshot[][] = keys.map(() => []);
      for (const { place, ...membership } of rows) lists[place - 1]!.push(membership);
      return lists;
    });
  }

  #readSmallChats(keys: readonly SmallChatsKey[]): Promise<readonly string[][]> {
    return withStorageErrors(async () => {
      const userIds = keys.map(({ userId }) => userId);
      const maxima = keys.map(({ maxMembers }) => maxMembers);
      const { rows } = await sql<{ place: number; id: string }>`
        select k.place::int as place, c.id
        from unnest(${userIds}::text[], ${maxima}::int[]) with ordinality as k (user_id, max, place)
        join members m on m.user_id = k.user_id
        join chats c on c.id = m.chat_id and c.member_count <= k.max`.execute(this.#db);
      const lists: string[][] = keys.map(() => []);
      for (const { place, id } of rows) lists[place - 1]!.push(id);
      return lists;
    });
  }

  #readVersions(userIds: readonly string[]): Promise<Map<string, number>> {
    return withStorageErrors(async () => {
      const rows = await this.#db
        .selectFrom('users')
        .select(['id', 'membership_version'])
        .where(({ ref }) => isAnyOf(ref('id'), userIds, 'text'))
        .execute();
      return new Map(rows.map(({ id, membership_version }) => [id, membership_version]));
    });
  }
}
