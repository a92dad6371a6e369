import { type Kysely, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Ban } from '../../../model/ban.ts';
import type { Chat } from '../../../model/chat.ts';
import { ChatError } from '../../../model/errors.ts';
import type { ChatRole, Member, ReadMark } from '../../../model/member.ts';
import type { Message } from '../../../model/message.ts';
import type { Page } from '../../../model/page.ts';
import type { User } from '../../../model/user.ts';
import type { ChatRepository, ChatsKey, Creator, Guard, MembershipSnapshot, NewBan } from '../../chat-repository.ts';
import { audit } from '../audit/audit.ts';
import { banNotFound } from '../bans/ban-row.ts';
import { deleteBan, findBanned, listChatBans } from '../bans/chat-bans.ts';
import { insertSystemMessage } from '../changes/insert-system-message.ts';
import { withLockedChat, withLockedRoom } from '../changes/with-locked-chat.ts';
import type { Database } from '../connection/database.ts';
import { inTransaction } from '../connection/in-transaction.ts';
import { ReadBatch } from '../connection/read-batch.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { deleteMember, insertChat, insertMembers, passOwnership, touchMemberships } from './chat-changes.ts';
import { banMember, changeRole, removeMember } from './chat-moderation.ts';
import {
  findJoinedRoom,
  getChat,
  getReadMark,
  listMembers,
  listRooms,
  listUserChats,
  markRead,
} from './chat-queries.ts';
import {
  listMembershipVersions,
  listSmallChats,
  type MembershipKey,
  type MembershipsKey,
  rememberUsers,
  type SmallChatsKey,
  selectMemberships,
  selectMembershipsByChat,
} from './membership-snapshots.ts';

export class PostgresChatRepository implements ChatRepository {
  readonly #db: Kysely<Tables>;
  readonly #maxMembers: number;
  // What everybody asks who connects: many come back at once when a node goes.
  readonly #membership = new ReadBatch((keys: readonly MembershipKey[]) => selectMembershipsByChat(this.#db, keys));
  readonly #memberships = new ReadBatch((keys: readonly MembershipsKey[]) => selectMemberships(this.#db, keys));
  readonly #versions = new ReadBatch(async (userIds: readonly string[]) => {
    const versions = await listMembershipVersions(this.#db, userIds);
    return userIds.map((userId) => versions.get(userId));
  });
  readonly #smallChats = new ReadBatch((keys: readonly SmallChatsKey[]) => listSmallChats(this.#db, keys));
  readonly #names = new ReadBatch((users: readonly User[]) => rememberUsers(this.#db, users));

  constructor({ db }: Database, { maxMembers }: { maxMembers: number }) {
    this.#db = db;
    this.#maxMembers = maxMembers;
  }

  async openDirect(
    creator: User,
    otherUserId: string,
    oneUserId = creator.id,
  ): Promise<{ chat: Chat; created: boolean; message?: Message }> {
    await this.rememberUser(creator);
    const opened = await inTransaction(this.#db, async (tx) => {
      const pair = [oneUserId, otherUserId];
      const directKey = JSON.stringify(pair.toSorted());
      const members = pair.map((id) => ({ id, role: 'OWNER' as const }));
      const message = await insertChat(tx, creator, { type: 'DIRECT', name: '', directKey }, members, this.#maxMembers);
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
    return opened ?? this.openDirect(creator, otherUserId, oneUserId);
  }

  createGroup(
    creator: Creator,
    title: string,
    memberIds: readonly string[],
  ): Promise<{ chat: Chat; message: Message }> {
    return this.#createOwned(creator, 'GROUP', title, memberIds);
  }

  createRoom(creator: Creator, name: string, memberIds: readonly string[]): Promise<{ chat: Chat; message: Message }> {
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
    return withLockedChat(this.#db, { chatId, actor }, guard, async ({ tx, access }) => {
      const members = await tx.deleteFrom('members').where('chat_id', '=', chatId).returning('user_id').execute();
      const userIds = members.map(({ user_id }) => user_id);
      await tx.insertInto('deleted_chats').values({ id: chatId }).execute();
      await tx.deleteFrom('chat_bans').where('chat_id', '=', chatId).execute();
      await tx.deleteFrom('chats').where('id', '=', chatId).execute();
      await touchMemberships(tx, userIds);
      await audit(tx, actor, 'chat.delete', chatId, { type: access.chat.type });
      return userIds;
    });
  }

  /** Of a hundred chats at a time; several nodes take different ones. */
  pruneDeleted(limit: number): Promise<number> {
    return withStorageErrors(async () => {
      const { rows } = await sql<{ removed: number }>`
        with chosen as (select id from deleted_chats order by deleted_at limit 100 for update skip locked),
        removed as (
          delete from messages where (chat_id, seq) in (
            select m.chat_id, m.seq from chosen join messages as m on m.chat_id = chosen.id limit ${limit})
          returning 1),
        done as (
          delete from deleted_chats where id in (select id from chosen) and (select count(*) from removed) < ${limit})
        select count(*)::integer as removed from removed`.execute(this.#db);
      return rows[0]!.removed;
    });
  }

  addMembers(
    chatId: string,
    actor: User,
    userIds: readonly string[],
    guard: Guard,
  ): Promise<{ added: Member[]; message?: Message }> {
    return withLockedChat(this.#db, { chatId, actor }, guard, async ({ tx, access }) => {
      const banned = await findBanned(tx, chatId, userIds);
      if (banned !== undefined) throw new ChatError('USER_IS_BANNED', `the user "${banned}" is banned from this chat`);
      const members = userIds.map((id) => ({ id, role: 'MEMBER' as const }));
      const added = await insertMembers(tx, access, members, this.#maxMembers);
      if (added.length === 0) return { added };
      const users = added.map(({ user }) => user);
      const message = await insertSystemMessage(tx, chatId, actor, { kind: 'members_added', users });
      await audit(tx, actor, 'members.add', chatId, { users: users.map(({ id }) => id) });
      return { added, message };
    });
  }

  updateMember(
    chatId: string,
    actor: User,
    userId: string,
    role: ChatRole,
    guard: Guard,
  ): Promise<{ member: Member; message?: Message }> {
    return withLockedChat(this.#db, { chatId, actor, targetId: userId }, guard, ({ tx, access }) =>
      changeRole(tx, access, actor, userId, role),
    );
  }

  removeMember(chatId: string, actor: User, userId: string, guard: Guard): Promise<Message[]> {
    return withLockedChat(this.#db, { chatId, actor, targetId: userId }, guard, ({ tx, access }) =>
      removeMember(tx, access, actor, userId),
    );
  }

  banMember(chatId: string, actor: User, ban: NewBan, guard: Guard): Promise<{ ban: Ban; messages: Message[] }> {
    return withLockedChat(this.#db, { chatId, actor, targetId: ban.userId }, guard, ({ tx, access }) =>
      banMember(tx, access, actor, ban),
    );
  }

  unbanMember(chatId: string, actor: User, userId: string, guard: Guard): Promise<void> {
    return withLockedChat(this.#db, { chatId, actor }, guard, async ({ tx }) => {
      if (!(await deleteBan(tx, chatId, userId))) throw banNotFound();
      await audit(tx, actor, 'members.unban', chatId, { user: userId });
    });
  }

  listBans(chatId: string, limit: number, afterUserId?: string): Promise<Page<Ban, string>> {
    return withStorageErrors(() => listChatBans(this.#db, chatId, limit, afterUserId));
  }

  leave(chatId: string, user: User, guard: Guard): Promise<Message[]> {
    return withLockedChat(this.#db, { chatId, actor: user }, guard, async ({ tx, access: { chat } }) => {
      const role = await deleteMember(tx, chatId, user.id);
      if (!role) throw new ChatError('NOT_A_MEMBER', 'you are not a member of this chat');
      await audit(tx, user, 'members.leave', chatId, {});
      const leaving = await insertSystemMessage(tx, chatId, user, { kind: 'member_left' });
      return [leaving, ...(await passOwnership(tx, chat, user, role))];
    });
  }

  async joinRoom(name: string, user: User): Promise<{ chat: Chat; message?: Message }> {
    await this.rememberUser(user);
    // Without a lock: those who come back to a room need not wait for its writers.
    const joined = await withStorageErrors(() => findJoinedRoom(this.#db, name, user.id));
    if (joined) return { chat: joined };
    return withLockedRoom(this.#db, { name, actor: user }, async ({ tx, access }) => {
      const { chat: room } = access;
      if (access.role) return { chat: await getChat(tx, room.id, user.id) };
      if (await findBanned(tx, room.id, [user.id])) {
        throw new ChatError('BANNED_FROM_CHAT', 'you are banned from this room');
      }
      await insertMembers(tx, access, [{ id: user.id, role: 'MEMBER' }], this.#maxMembers);
      await audit(tx, user, 'members.join', room.id, {});
      const message = await insertSystemMessage(tx, room.id, user, { kind: 'member_joined' });
      return { chat: await getChat(tx, room.id, user.id), message };
    });
  }

  listMembers(chatId: string, limit: number, afterUserId?: string): Promise<Page<Member, string>> {
    return withStorageErrors(() => listMembers(this.#db, chatId, limit, afterUserId));
  }

  findMembership(chatId: string, userId: string): Promise<MembershipSnapshot | undefined> {
    return this.#membership.load({ chatId, userId });
  }

  listMemberships(userId: string, limit: number): Promise<MembershipSnapshot[]> {
    return this.#memberships.load({ userId, limit });
  }

  markRead(chatId: string, userId: string, seq: number): Promise<{ readSeq: number; moved: boolean } | undefined> {
    return withStorageErrors(() => markRead(this.#db, chatId, userId, seq));
  }

  getReadMark(chatId: string, userId: string): Promise<ReadMark | undefined> {
    return withStorageErrors(() => getReadMark(this.#db, chatId, userId));
  }

  listSmallChats(userId: string, maxMembers: number): Promise<string[]> {
    return this.#smallChats.load({ userId, maxMembers });
  }

  rememberUser(user: User): Promise<void> {
    return this.#names.load(user);
  }

  async listMembershipVersions(userIds: readonly string[]): Promise<Map<string, number>> {
    const [only] = userIds;
    if (only === undefined || userIds.length > 1) return listMembershipVersions(this.#db, userIds);
    const version = await this.#versions.load(only);
    return new Map(version === undefined ? [] : [[only, version]]);
  }

  async #createOwned(
    creator: Creator,
    type: 'GROUP' | 'ROOM',
    name: string,
    memberIds: readonly string[],
  ): Promise<{ chat: Chat; message: Message }> {
    await this.rememberUser(creator);
    return inTransaction(this.#db, async (tx) => {
      const ids = new Set(creator.external ? memberIds : [creator.id, ...memberIds]);
      const members = [...ids].map((id, i) => ({ id, role: i === 0 ? ('OWNER' as const) : ('MEMBER' as const) }));
      const message = await insertChat(tx, creator, { type, name, directKey: null }, members, this.#maxMembers);
      if (!message) throw new ChatError('ROOM_EXISTS', `there is a room "${name}" already`);
      return { chat: await getChat(tx, message.chatId, creator.id), message };
    });
  }
}
