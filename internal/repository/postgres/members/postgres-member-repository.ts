import { type Kysely, sql } from 'kysely';
import { ChatError } from '../../../model/errors.ts';
import type { ChatRole, Member } from '../../../model/member.ts';
import type { Message } from '../../../model/message.ts';
import type { Page } from '../../../model/page.ts';
import type { User } from '../../../model/user.ts';
import type { Guard, Reader } from '../../guard.ts';
import type { MemberRepository } from '../../member-repository.ts';
import { audit } from '../audit/audit.ts';
import { insertSystemMessage } from '../changes/insert-system-message.ts';
import { withLockedChat } from '../changes/with-locked-chat.ts';
import type { Database } from '../connection/database.ts';
import { readInChat } from '../connection/read-in-chat.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { getUser } from '../users/get-user.ts';
import { findBanned } from './find-banned.ts';
import { deleteMember, insertMembers } from './member-rows.ts';
import { hasOwner, passOwnership } from './ownership.ts';
import { takeOut } from './take-out.ts';

export class PostgresMemberRepository implements MemberRepository {
  readonly #db: Kysely<Tables>;
  readonly #reads: Kysely<Tables>;
  readonly #limits: { maxMembers: number };

  constructor({ db, reads }: Database, limits: { maxMembers: number }) {
    this.#db = db;
    this.#reads = reads;
    this.#limits = limits;
  }

  add(
    chatId: string,
    actor: User,
    userIds: readonly string[],
    guard: Guard,
  ): Promise<{ added: Member[]; message?: Message }> {
    return withLockedChat(this.#db, { chatId, actor }, guard, async ({ tx }) => {
      const banned = await findBanned(tx, chatId, userIds);
      if (banned !== undefined) throw new ChatError('USER_IS_BANNED', `the user "${banned}" is banned from this chat`);
      const members = userIds.map((id) => ({ id, role: 'MEMBER' as const }));
      const added = await insertMembers(tx, chatId, members, this.#limits.maxMembers);
      if (added.length === 0) return { added };
      const users = added.map(({ user }) => user);
      const message = await insertSystemMessage(tx, chatId, actor, { kind: 'members_added', users });
      await audit(tx, actor, 'members.add', chatId, { users: users.map(({ id }) => id) });
      return { added, message };
    });
  }

  setRole(
    chatId: string,
    actor: User,
    userId: string,
    role: ChatRole,
    guard: Guard,
  ): Promise<{ member: Member; message?: Message }> {
    return withLockedChat(this.#db, { chatId, actor, targetId: userId }, guard, async ({ tx, access }) => {
      const { chat, targetRole } = access;
      const row = await tx
        .updateTable('members')
        .set({ role })
        .where('chat_id', '=', chatId)
        .where('user_id', '=', userId)
        .returning(['joined_at', ...markColumns])
        .executeTakeFirst();
      if (!row) throw memberNotFound();
      const user = await getUser(tx, userId);
      const member = { user, role, joinedAt: row.joined_at, ...toMarks(row) };
      if (targetRole === role) return { member };
      if (chat.type === 'GROUP' && targetRole === 'OWNER' && !(await hasOwner(tx, chatId))) {
        throw new ChatError('LAST_OWNER', 'this is the last owner of the group: make somebody else one first');
      }
      await audit(tx, actor, 'members.role', chatId, { user: userId, from: targetRole, role });
      return { member, message: await insertSystemMessage(tx, chatId, actor, { kind: 'role_changed', user, role }) };
    });
  }

  remove(chatId: string, actor: User, userId: string, guard: Guard): Promise<Message[]> {
    return withLockedChat(this.#db, { chatId, actor, targetId: userId }, guard, async ({ tx, access }) => {
      const { chat, targetRole } = access;
      if (!targetRole) throw memberNotFound();
      await audit(tx, actor, 'members.remove', chatId, { user: userId });
      return takeOut(tx, chat, actor, { userId, role: targetRole, banned: false });
    });
  }

  leave(chatId: string, user: User, guard: Guard): Promise<Message[]> {
    return withLockedChat(this.#db, { chatId, actor: user }, guard, async ({ tx, access }) => {
      const role = await deleteMember(tx, chatId, user.id);
      if (!role) throw new ChatError('NOT_A_MEMBER', 'you are not a member of this chat');
      await audit(tx, user, 'members.leave', chatId, {});
      const leaving = await insertSystemMessage(tx, chatId, user, { kind: 'member_left' });
      return [leaving, ...(await passOwnership(tx, access.chat, user, role))];
    });
  }

  list(chatId: string, limit: number, afterUserId?: string, reader?: Reader): Promise<Page<Member, string>> {
    return withStorageErrors(async () => {
      let query = this.#reads
        .selectFrom('members as m')
        .leftJoin('users as u', 'u.id', 'm.user_id')
        .select(['m.user_id', 'u.name', 'm.role', 'm.joined_at', 'm.read_seq', 'm.read_generation', 'm.delivered_seq'])
        .where('m.chat_id', '=', chatId)
        .orderBy(sql`m.user_id`)
        .limit(limit + 1);
      if (afterUserId !== undefined) query = query.where('m.user_id', '>', afterUserId);
      const rows = await readInChat(this.#reads, chatId, query, reader);
      const items = rows.slice(0, limit).map((row) => ({
        user: { id: row.user_id, name: row.name ?? '' },
        role: row.role,
        joinedAt: row.joined_at,
        ...toMarks(row),
      }));
      return { items, ...(rows.length > limit && { next: items.at(-1)?.user.id }) };
    });
  }
}

const markColumns = ['read_seq', 'read_generation', 'delivered_seq'] as const;

type MarkRow = Record<(typeof markColumns)[number], number>;

function toMarks({ read_seq, read_generation, delivered_seq }: MarkRow) {
  // What is read has been received.
  return { readSeq: read_seq, readGeneration: read_generation, deliveredSeq: Math.max(delivered_seq, read_seq) };
}

function memberNotFound(): ChatError {
  return new ChatError('MEMBER_NOT_FOUND', 'the user is not a member of this chat');
}
