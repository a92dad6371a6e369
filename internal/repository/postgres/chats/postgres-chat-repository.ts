import type { Kysely } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Chat } from '../../../model/chat.ts';
import { ChatError } from '../../../model/errors.ts';
import type { Message } from '../../../model/message.ts';
import type { Page } from '../../../model/page.ts';
import type { User } from '../../../model/user.ts';
import type { ChatRepository, ChatsKey, ChatUpdate, Creator, UpdatedChat } from '../../chat-repository.ts';
import type { Guard } from '../../guard.ts';
import type { UserRepository } from '../../user-repository.ts';
import { audit } from '../audit/audit.ts';
import { insertSystemMessage } from '../changes/insert-system-message.ts';
import { withLockedChat, withLockedRoom } from '../changes/with-locked-chat.ts';
import type { Database } from '../connection/database.ts';
import { inSnapshot, inTransaction } from '../connection/in-transaction.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { findBanned } from '../members/find-banned.ts';
import { insertMembers, touchMemberships } from '../members/member-rows.ts';
import { findJoinedRoom, getChat, listRooms, listUserChats } from './chat-queries.ts';
import { insertChat } from './insert-chat.ts';
import { findRepeated, updateLockedChat } from './update-chat.ts';

interface Deps {
  database: Database;
  users: UserRepository;
}

export class PostgresChatRepository implements ChatRepository {
  readonly #db: Kysely<Tables>;
  readonly #reads: Kysely<Tables>;
  readonly #users: UserRepository;
  readonly #limits: { maxMembers: number };

  constructor({ database, users }: Deps, limits: { maxMembers: number }) {
    this.#db = database.db;
    this.#reads = database.reads;
    this.#users = users;
    this.#limits = limits;
  }

  async openDirect(
    creator: User,
    otherUserId: string,
    oneUserId = creator.id,
  ): Promise<{ chat: Chat; created: boolean; message?: Message }> {
    await this.#users.remember(creator);
    const opened = await inTransaction(this.#db, async (tx) => {
      const pair = [oneUserId, otherUserId];
      const directKey = JSON.stringify(pair.toSorted());
      const members = pair.map((id) => ({ id, role: 'OWNER' as const }));
      const message = await insertChat(
        tx,
        creator,
        { type: 'DIRECT', name: '', directKey },
        members,
        this.#limits.maxMembers,
      );
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
    // The chat that stood in the way was deleted before it could be read: try again.
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

  async joinRoom(name: string, user: User): Promise<{ chat: Chat; message?: Message }> {
    await this.#users.remember(user);
    // Without a lock, so that a member who joins again does not wait for the room's writers.
    const joined = await withStorageErrors(() => findJoinedRoom(this.#reads, name, user.id));
    if (joined) return { chat: joined };
    return withLockedRoom(this.#db, { name, actor: user }, async ({ tx, access: { chat, role } }) => {
      if (role) return { chat: await getChat(tx, chat.id, user.id) };
      if (await findBanned(tx, chat.id, [user.id])) {
        throw new ChatError('BANNED_FROM_CHAT', 'you are banned from this room');
      }
      await insertMembers(tx, chat.id, [{ id: user.id, role: 'MEMBER' }], this.#limits.maxMembers);
      await audit(tx, user, 'members.join', chat.id, {});
      const message = await insertSystemMessage(tx, chat.id, user, { kind: 'member_joined' });
      return { chat: await getChat(tx, chat.id, user.id), message };
    });
  }

  get(chatId: string, userId: string): Promise<Chat> {
    return withStorageErrors(() => getChat(this.#reads, chatId, userId));
  }

  listOfUser(userId: string, limit: number, after?: ChatsKey): Promise<Page<Chat, ChatsKey>> {
    return inSnapshot(this.#reads, (tx) => listUserChats(tx, userId, limit, after));
  }

  listRooms(userId: string, filter: string, limit: number, afterName?: string): Promise<Page<Chat, string>> {
    return withStorageErrors(() => listRooms(this.#reads, userId, filter, limit, afterName));
  }

  update(chatId: string, actor: User, update: ChatUpdate, guard: Guard): Promise<UpdatedChat> {
    const later: Guard = () => {};
    return withLockedChat(this.#db, { chatId, actor }, later, async ({ tx, access }) => {
      const repeated = await findRepeated(tx, chatId, actor, update);
      if (repeated) return repeated;
      guard(access);
      return updateLockedChat(tx, chatId, actor, update);
    });
  }

  delete(chatId: string, actor: User, guard: Guard): Promise<string[]> {
    return withLockedChat(this.#db, { chatId, actor }, guard, async ({ tx, access }) => {
      const members = await tx.deleteFrom('members').where('chat_id', '=', chatId).returning('user_id').execute();
      const userIds = members.map(({ user_id }) => user_id);
      await tx.insertInto('deleted_chats').values({ id: chatId }).execute();
      await tx.deleteFrom('chat_bans').where('chat_id', '=', chatId).execute();
      await tx.deleteFrom('chat_details').where('chat_id', '=', chatId).execute();
      await tx.deleteFrom('chats').where('id', '=', chatId).execute();
      await touchMemberships(tx, userIds);
      await audit(tx, actor, 'chat.delete', chatId, { type: access.chat.type });
      return userIds;
    });
  }

  async #createOwned(
    creator: Creator,
    type: 'GROUP' | 'ROOM',
    name: string,
    memberIds: readonly string[],
  ): Promise<{ chat: Chat; message: Message }> {
    await this.#users.remember(creator);
    return inTransaction(this.#db, async (tx) => {
      const ids = new Set(creator.external ? memberIds : [creator.id, ...memberIds]);
      const members = [...ids].map((id, i) => ({ id, role: i === 0 ? ('OWNER' as const) : ('MEMBER' as const) }));
      const message = await insertChat(tx, creator, { type, name, directKey: null }, members, this.#limits.maxMembers);
      if (!message) throw new ChatError('ROOM_EXISTS', `there is a room "${name}" already`);
      return { chat: await getChat(tx, message.chatId, creator.id), message };
    });
  }
}
