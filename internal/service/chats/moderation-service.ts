import type { Bus } from '../../client/bus/bus.ts';
import type { AuditEvent } from '../../model/audit-event.ts';
import type { Ban } from '../../model/ban.ts';
import { entryOf } from '../../model/entry.ts';
import { ChatError, invalidFieldsError } from '../../model/errors.ts';
import type { ChatRole, Member } from '../../model/member.ts';
import type { Page } from '../../model/page.ts';
import type { Principal } from '../../model/principal.ts';
import type { User } from '../../model/user.ts';
import type { AuditFilter, AuditRepository } from '../../repository/audit-repository.ts';
import type { BanRepository } from '../../repository/ban-repository.ts';
import type { ChatBanRepository, NewBan } from '../../repository/chat-ban-repository.ts';
import type { Access } from '../../repository/guard.ts';
import type { MemberRepository } from '../../repository/member-repository.ts';
import type { UserRepository } from '../../repository/user-repository.ts';
import { authorizeChat, authorizeOver, readerFor } from '../authorization.ts';
import { isLater } from './is-later.ts';

interface Deps {
  members: MemberRepository;
  chatBans: ChatBanRepository;
  users: UserRepository;
  /** Bans from the whole service. */
  bans: BanRepository;
  audit: AuditRepository;
  bus: Bus;
  /** Called after bans from the service have changed. Resolves once this node enforces them; only then is the call answered. */
  onBansChanged?: () => Promise<void>;
}

/**
 * The operations of moderators: roles and bans in chats, bans from the service, and the audit log. Each method throws the errors of the RPC of
 * the same name in the contract. The roles in the caller's token are checked before; the caller's role in the chat is checked here, for a
 * change under the chat's lock.
 */
export class ModerationService {
  readonly #members: MemberRepository;
  readonly #chatBans: ChatBanRepository;
  readonly #users: UserRepository;
  readonly #bans: BanRepository;
  readonly #audit: AuditRepository;
  readonly #bus: Bus;
  readonly #onBansChanged: () => Promise<void>;

  constructor({ members, chatBans, users, bans, audit, bus, onBansChanged = async () => {} }: Deps) {
    this.#members = members;
    this.#chatBans = chatBans;
    this.#users = users;
    this.#bans = bans;
    this.#audit = audit;
    this.#bus = bus;
    this.#onBansChanged = onBansChanged;
  }

  async updateMember(caller: Principal, chatId: string, userId: string, role: ChatRole): Promise<Member> {
    const { member, message } = await this.#members.setRole(chatId, toUser(caller), userId, role, (access) => {
      authorizeOver('UpdateMember', caller, access, role);
      refuseDirect(access, 'both users of a direct chat are its owners');
    });
    if (message) this.#bus.publishToChat(chatId, { kind: 'entries', entries: [entryOf(message)] });
    return member;
  }

  async banMember(caller: Principal, chatId: string, newBan: NewBan): Promise<Ban> {
    checkBan(caller, newBan);
    await this.#users.remember(toUser(caller));
    const { ban, messages } = await this.#chatBans.ban(chatId, toUser(caller), newBan, (access) => {
      authorizeOver('BanMember', caller, access);
      refuseDirect(access, 'nobody can be banned from a direct chat');
    });
    if (messages.length > 0) {
      this.#bus.publishToChat(chatId, { kind: 'entries', entries: messages.map(entryOf) });
      this.#bus.publishMembershipChange([newBan.userId]);
    }
    return ban;
  }

  unbanMember(caller: Principal, chatId: string, userId: string): Promise<void> {
    return this.#chatBans.lift(chatId, toUser(caller), userId, ({ chat, role }) =>
      authorizeChat('UnbanMember', caller, chat.type, role),
    );
  }

  listBans(caller: Principal, chatId: string, limit: number, after?: string): Promise<Page<Ban, string>> {
    return this.#chatBans.list(chatId, limit, after, readerFor('ListBans', caller));
  }

  async banUser(caller: Principal, newBan: NewBan): Promise<Ban> {
    checkBan(caller, newBan);
    const actor = toUser(caller);
    await this.#users.remember(actor);
    const ban = await this.#bans.ban(actor, newBan.userId, newBan.reason, newBan.expiresAt);
    await this.#onBansChanged();
    return ban;
  }

  async unbanUser(caller: Principal, userId: string): Promise<void> {
    await this.#bans.lift(toUser(caller), userId);
    await this.#onBansChanged();
  }

  listBannedUsers(limit: number, after?: string): Promise<Page<Ban, string>> {
    return this.#bans.list(limit, after);
  }

  listAuditEvents(filter: AuditFilter, limit: number, beforeId?: number): Promise<Page<AuditEvent, number>> {
    return this.#audit.list(filter, limit, beforeId);
  }
}

function toUser({ userId, name }: Principal): User {
  return { id: userId, name };
}

function checkBan({ userId }: Principal, newBan: NewBan): void {
  if (newBan.userId === userId)
    throw invalidFieldsError({ field: 'user_id', description: 'must be another user than the caller' });
  if (newBan.expiresAt && !isLater(newBan.expiresAt)) {
    throw invalidFieldsError({ field: 'expires_at', description: 'must be in the future, and before the year 10000' });
  }
}

function refuseDirect({ chat }: Access, message: string): void {
  if (chat.type === 'DIRECT') throw new ChatError('CHAT_IS_DIRECT', message);
}
