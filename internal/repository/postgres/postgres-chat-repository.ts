import { type Kysely, sql, type Transaction } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Chat, ChatRole, ChatType, Member, Page, User } from '../../model/chat.ts';
import { ChatError } from '../../model/errors.ts';
import type { Message, SystemEvent } from '../../model/message.ts';
import type { Access, ChatRepository, ChatsKey, Guard, Standing } from '../chat-repository.ts';
import { findChat, listRooms, listUserChats } from './chat-queries.ts';
import type { Database, Tables } from './database.ts';
import { isAnyOf, messageColumns, toMessage } from './message-row.ts';
import { withStorageErrors } from './storage-error.ts';

export class PostgresChatRepository implements ChatRepository {
  readonly #db: Kysely<Tables>;
  readonly #maxMembers: number;

  constructor({ db }: Database, { maxMembers }: { maxMembers: number }) {
    this.#db = db;
    this.#maxMembers = maxMembers;
  }

  async openDirect(creator: User, otherUserId: string): Promise<{ chat: Chat; created: boolean; message?: Message }> {
    await this.rememberUser(creator);
    const opened = await this.#transaction(async (tx) => {
      const directKey = JSON.stringify([creator.id, otherUserId].sort());
      const members = [
        { id: creator.id, role: 'OWNER' as const },
        { id: otherUserId, role: 'OWNER' as const },
      ];
      const message = await this.#create(tx, creator, { type: 'DIRECT', name: '', directKey }, members);
      if (message) {
        return { chat: await getChat(tx, message.chatId, creator.id), created: true, message };
      }
      const existing = await tx
        .selectFrom('chats')
        .select('id')
        .where('direct_key', '=', directKey)
        .where('type', '=', 'DIRECT')
        .forKeyShare()
        .executeTakeFirst();
      return existing && { chat: await getChat(tx, existing.id, creator.id), created: false };
    });
    // Without one, it was deleted after it had been in the way.
    return opened ?? this.openDirect(creator, otherUserId);
  }

  createGroup(creator: User, title: string, memberIds: readonly string[]): Promise<{ chat: Chat; message: Message }> {
    return this.#createOwned(creator, 'GROUP', title, memberIds);
  }

  createRoom(creator: User, name: string, memberIds: readonly string[]): Promise<{ chat: Chat; message: Message }> {
    return this.#createOwned(creator, 'ROOM', name, memberIds);
  }

  ensureRooms(names: readonly string[]): Promise<void> {
    return withStorageErrors(async () => {
      if (names.length === 0) return;
      await this.#db
        .insertInto('chats')
        .values(names.map((name) => ({ id: uuidv7(), type: 'ROOM' as const, name, direct_key: null, created_by: '' })))
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    });
  }

  get(chatId: string, userId: string): Promise<Chat> {
    return withStorageErrors(() => getChat(this.#db, chatId, userId));
  }

  listOfUser(userId: string, limit: number, after?: ChatsKey): Promise<Page<Chat, ChatsKey>> {
    return withStorageErrors(() => listUserChats(this.#db, userId, limit, after));
  }

  listRooms(userId: string, filter: string, limit: number, afterName?: string): Promise<Page<Chat, string>> {
    return withStorageErrors(() => listRooms(this.#db, userId, filter, limit, afterName));
  }

  delete(chatId: string, actor: User, guard: Guard): Promise<string[]> {
    return this.#change(chatId, actor, guard, async (tx, access) => {
      const members = await tx.deleteFrom('members').where('chat_id', '=', chatId).returning('user_id').execute();
      const userIds = members.map(({ user_id }) => user_id);
      await tx.deleteFrom('messages').where('chat_id', '=', chatId).execute();
      await tx.deleteFrom('chats').where('id', '=', chatId).execute();
      await touchMemberships(tx, userIds);
      await audit(tx, actor, 'chat.delete', chatId, { type: access.chat.type });
      return userIds;
    });
  }

  addMembers(
    chatId: string,
    actor: User,
    userIds: readonly string[],
    guard: Guard,
  ): Promise<{ added: Member[]; message?: Message }> {
    return this.#change(chatId, actor, guard, async (tx, access) => {
      const members = userIds.map((id) => ({ id, role: 'MEMBER' as const }));
      const added = await this.#insertMembers(tx, access, members);
      if (added.length === 0) return { added };
      const users = added.map(({ user }) => user);
      const message = await record(tx, chatId, actor, { kind: 'members_added', users });
      await audit(tx, actor, 'members.add', chatId, { users: users.map(({ id }) => id) });
      return { added, message };
    });
  }

  removeMember(chatId: string, actor: User, userId: string, guard: Guard): Promise<Message[]> {
    return this.#change(chatId, actor, guard, async (tx, { chat }) => {
      const role = await deleteMember(tx, chatId, userId);
      if (!role) throw new ChatError('MEMBER_NOT_FOUND', 'the user is not a member of this chat');
      await audit(tx, actor, 'members.remove', chatId, { user: userId });
      const removal = await record(tx, chatId, actor, { kind: 'member_removed', user: await getUser(tx, userId) });
      return [removal, ...(await passOwnership(tx, chat, actor, role))];
    });
  }

  leave(chatId: string, user: User, guard: Guard): Promise<Message[]> {
    return this.#change(chatId, user, guard, async (tx, { chat }) => {
      const role = await deleteMember(tx, chatId, user.id);
      if (!role) throw new ChatError('NOT_A_MEMBER', 'you are not a member of this chat');
      await audit(tx, user, 'members.leave', chatId, {});
      const leaving = await record(tx, chatId, user, { kind: 'member_left' });
      return [leaving, ...(await passOwnership(tx, chat, user, role))];
    });
  }

  async joinRoom(name: string, user: User): Promise<{ chat: Chat; message?: Message }> {
    await this.rememberUser(user);
    return this.#transaction(async (tx) => {
      const room = await tx
        .selectFrom('chats')
        .select('id')
        .where('type', '=', 'ROOM')
        .where('name', '=', name)
        .forNoKeyUpdate()
        .executeTakeFirst();
      if (!room) throw new ChatError('ROOM_NOT_FOUND', `there is no room "${name}"`);
      const access = await lockChat(tx, room.id, user.id);
      if (access.role) return { chat: await getChat(tx, room.id, user.id) };
      await this.#insertMembers(tx, access, [{ id: user.id, role: 'MEMBER' }]);
      await audit(tx, user, 'members.join', room.id, {});
      const message = await record(tx, room.id, user, { kind: 'member_joined' });
      return { chat: await getChat(tx, room.id, user.id), message };
    });
  }

  listMembers(chatId: string, limit: number, afterUserId?: string): Promise<Page<Member, string>> {
    return withStorageErrors(async () => {
      let query = this.#db
        .selectFrom('members as m')
        .leftJoin('users as u', 'u.id', 'm.user_id')
        .select(['m.user_id', 'u.name', 'm.role', 'm.joined_at'])
        .where('m.chat_id', '=', chatId)
        .orderBy(sql`m.user_id`)
        .limit(limit + 1);
      if (afterUserId !== undefined) query = query.where('m.user_id', '>', afterUserId);
      const rows = await query.execute();
      const items = rows.slice(0, limit).map((row) => ({
        user: { id: row.user_id, name: row.name ?? '' },
        role: row.role,
        joinedAt: row.joined_at,
      }));
      return { items, ...(rows.length > limit && { next: items.at(-1)?.user.id }) };
    });
  }

  filterMembers(chatId: string, userIds: readonly string[]): Promise<Set<string>> {
    return withStorageErrors(async () => {
      const rows = await this.#db
        .selectFrom('members')
        .select('user_id')
        .where('chat_id', '=', chatId)
        .where(({ ref }) => isAnyOf(ref('user_id'), userIds, 'text'))
        .execute();
      return new Set(rows.map(({ user_id }) => user_id));
    });
  }

  findStanding(chatId: string, userId: string): Promise<Standing | undefined> {
    return withStorageErrors(async () => {
      const [standing] = await standings(this.#db, userId).where('m.chat_id', '=', chatId).execute();
      return standing;
    });
  }

  listStandings(userId: string, limit: number): Promise<Standing[]> {
    return withStorageErrors(() => standings(this.#db, userId).orderBy('c.changed_at', 'desc').limit(limit).execute());
  }

  /** On its own, never within a change: it locks the user's row, and changes lock users in the order of their ids. */
  rememberUser({ id, name }: User): Promise<void> {
    return withStorageErrors(async () => {
      await this.#db
        .insertInto('users')
        .values({ id, name })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ name }).where('users.name', '<>', name))
        .execute();
    });
  }

  listMembershipVersions(userIds: readonly string[]): Promise<Map<string, number>> {
    return withStorageErrors(async () => {
      const rows = await this.#db
        .selectFrom('users')
        .select(['id', 'membership_version'])
        .where(({ ref }) => isAnyOf(ref('id'), userIds, 'text'))
        .execute();
      return new Map(rows.map(({ id, membership_version }) => [id, membership_version]));
    });
  }

  #transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    return withStorageErrors(() => this.#db.transaction().execute(work));
  }

  /** A transaction that holds the chat's lock, once the guard has let it pass. */
  #change<T>(
    chatId: string,
    actor: User,
    guard: Guard,
    work: (tx: Transaction<Tables>, access: Access) => Promise<T>,
  ): Promise<T> {
    return this.#transaction(async (tx) => {
      const access = await lockChat(tx, chatId, actor.id);
      guard(access);
      return work(tx, access);
    });
  }

  async #createOwned(
    creator: User,
    type: 'GROUP' | 'ROOM',
    name: string,
    memberIds: readonly string[],
  ): Promise<{ chat: Chat; message: Message }> {
    await this.rememberUser(creator);
    return this.#transaction(async (tx) => {
      const others = memberIds.filter((id) => id !== creator.id).map((id) => ({ id, role: 'MEMBER' as const }));
      const members = [{ id: creator.id, role: 'OWNER' as const }, ...others];
      const message = await this.#create(tx, creator, { type, name, directKey: null }, members);
      if (!message) throw new ChatError('ROOM_EXISTS', `there is a room "${name}" already`);
      return { chat: await getChat(tx, message.chatId, creator.id), message };
    });
  }

  /** Undefined if the chat's unique name or pair is taken. */
  async #create(
    tx: Transaction<Tables>,
    creator: User,
    { type, name, directKey }: { type: ChatType; name: string; directKey: string | null },
    members: { id: string; role: ChatRole }[],
  ): Promise<Message | undefined> {
    const id = uuidv7();
    const created = await tx
      .insertInto('chats')
      .values({ id, type, name, direct_key: directKey, created_by: creator.id })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    if (!created) return undefined;
    await this.#insertMembers(tx, { chat: { id, type } }, members);
    await audit(tx, creator, 'chat.create', id, { type, name, members: members.map((member) => member.id) });
    return record(tx, id, creator, { kind: 'chat_created' });
  }

  async #insertMembers(
    tx: Transaction<Tables>,
    { chat }: Access,
    members: { id: string; role: ChatRole }[],
  ): Promise<Member[]> {
    const { last_seq } = await tx
      .selectFrom('chats')
      .select('last_seq')
      .where('id', '=', chat.id)
      .executeTakeFirstOrThrow();
    const rows = await tx
      .insertInto('members')
      .values(members.map(({ id, role }) => ({ chat_id: chat.id, user_id: id, role, joined_seq: last_seq + 1 })))
      .onConflict((conflict) => conflict.doNothing())
      .returning(['user_id', 'role', 'joined_at'])
      .execute();
    if (rows.length === 0) return [];
    const { member_count } = await tx
      .updateTable('chats')
      .set(({ eb }) => ({ member_count: eb('member_count', '+', rows.length) }))
      .where('id', '=', chat.id)
      .returning('member_count')
      .executeTakeFirstOrThrow();
    if (member_count > this.#maxMembers) {
      throw new ChatError('MEMBER_LIMIT', `a chat may have at most ${this.#maxMembers} members`);
    }
    const userIds = rows.map(({ user_id }) => user_id);
    await touchMemberships(tx, userIds);
    const users = await tx
      .selectFrom('users')
      .select(['id', 'name'])
      .where(({ ref }) => isAnyOf(ref('id'), userIds, 'text'))
      .execute();
    const names = new Map(users.map(({ id, name }) => [id, name]));
    return rows.map((row) => ({
      user: { id: row.user_id, name: names.get(row.user_id) ?? '' },
      role: row.role,
      joinedAt: row.joined_at,
    }));
  }
}

async function getChat(db: Kysely<Tables>, chatId: string, userId: string): Promise<Chat> {
  const chat = await findChat(db, chatId, userId);
  if (!chat) throw chatNotFound();
  return chat;
}

function chatNotFound(): ChatError {
  return new ChatError('CHAT_NOT_FOUND', 'there is no such chat');
}

async function lockChat(tx: Transaction<Tables>, chatId: string, userId: string): Promise<Access> {
  const chat = await tx
    .selectFrom('chats')
    .select(['id', 'type'])
    .where('id', '=', chatId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!chat) throw chatNotFound();
  const member = await tx
    .selectFrom('members')
    .select('role')
    .where('chat_id', '=', chatId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return { chat, role: member?.role };
}

/** Writes a system message under the chat's next number. The chat's row is locked by this at the latest. */
async function record(tx: Transaction<Tables>, chatId: string, sender: User, event: SystemEvent): Promise<Message> {
  const { last_seq, changed_at } = await tx
    .updateTable('chats')
    .set(({ eb }) => ({
      last_seq: eb('last_seq', '+', 1),
      changed_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
    }))
    .where('id', '=', chatId)
    .returning(['last_seq', 'changed_at'])
    .executeTakeFirstOrThrow();
  const row = await tx
    .insertInto('messages')
    .values({
      chat_id: chatId,
      seq: last_seq,
      update_seq: last_seq,
      id: uuidv7(),
      sender_id: sender.id,
      sender_name: sender.name,
      client_message_id: null,
      content_hash: null,
      text: '',
      system: JSON.stringify(event),
      created_at: changed_at,
    })
    .returning(messageColumns)
    .executeTakeFirstOrThrow();
  return toMessage(row);
}

async function deleteMember(tx: Transaction<Tables>, chatId: string, userId: string): Promise<ChatRole | undefined> {
  const removed = await tx
    .deleteFrom('members')
    .where('chat_id', '=', chatId)
    .where('user_id', '=', userId)
    .returning('role')
    .executeTakeFirst();
  if (!removed) return undefined;
  await tx
    .updateTable('chats')
    .set(({ eb }) => ({ member_count: eb('member_count', '-', 1) }))
    .where('id', '=', chatId)
    .execute();
  await touchMemberships(tx, [userId]);
  return removed.role;
}

/** When an owner has gone and the group has none left, its longest-standing administrator, or else member, becomes one. */
async function passOwnership(
  tx: Transaction<Tables>,
  { id: chatId, type }: Access['chat'],
  actor: User,
  goneRole: ChatRole,
): Promise<Message[]> {
  if (type !== 'GROUP' || goneRole !== 'OWNER') return [];
  const members = tx.selectFrom('members').where('chat_id', '=', chatId);
  const owner = await members.select('user_id').where('role', '=', 'OWNER').limit(1).executeTakeFirst();
  if (owner) return [];
  const heir = await members
    .select('user_id')
    .orderBy(sql`array_position(array['ADMIN', 'MEMBER', 'READER'], role)`)
    .orderBy('joined_seq')
    .orderBy('user_id')
    .limit(1)
    .executeTakeFirst();
  if (!heir) return [];
  await tx
    .updateTable('members')
    .set({ role: 'OWNER' })
    .where('chat_id', '=', chatId)
    .where('user_id', '=', heir.user_id)
    .execute();
  await audit(tx, actor, 'members.own', chatId, { user: heir.user_id });
  return [await record(tx, chatId, actor, { kind: 'owner_changed', user: await getUser(tx, heir.user_id) })];
}

async function getUser(db: Kysely<Tables>, id: string): Promise<User> {
  const user = await db.selectFrom('users').select('name').where('id', '=', id).executeTakeFirst();
  return { id, name: user?.name ?? '' };
}

/** In the order of ids, so that two transactions cannot wait for each other. */
async function touchMemberships(tx: Transaction<Tables>, userIds: readonly string[]): Promise<void> {
  await sql`
    insert into users (id, membership_version) select id, 1 from unnest(${[...userIds].sort()}::text[]) as t (id) order by id
    on conflict (id) do update set membership_version = users.membership_version + 1`.execute(tx);
}

function standings(db: Kysely<Tables>, userId: string) {
  return db
    .selectFrom('members as m')
    .innerJoin('chats as c', 'c.id', 'm.chat_id')
    .select(['m.chat_id as chatId', 'm.role', 'm.joined_seq as joinedSeq', 'c.last_seq as lastSeq'])
    .where('m.user_id', '=', userId);
}

async function audit(
  tx: Transaction<Tables>,
  actor: User,
  action: string,
  chatId: string,
  detail: Record<string, unknown>,
): Promise<void> {
  await tx
    .insertInto('audit_log')
    .values({ actor_id: actor.id, action, chat_id: chatId, detail: JSON.stringify(detail) })
    .execute();
}
