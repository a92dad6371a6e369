import type { Bus } from '../../client/bus/bus.ts';
import type { Presence } from '../../client/presence/presence.ts';
import type { Chat, ChatType } from '../../model/chat.ts';
import type { ChatUpdateRequest } from '../../model/chat-fields.ts';
import type { Complete } from '../../model/complete.ts';
import { entryOf } from '../../model/entry.ts';
import { ChatError } from '../../model/errors.ts';
import type { Feature } from '../../model/feature.ts';
import type { Member } from '../../model/member.ts';
import type { Mention } from '../../model/mention.ts';
import type { Draft, Message, MessageData, MessageOptions, Receipt } from '../../model/message.ts';
import type { MessagePage } from '../../model/message-page.ts';
import type { Page } from '../../model/page.ts';
import type { Principal } from '../../model/principal.ts';
import type { User } from '../../model/user.ts';
import type { ChatRepository, ChatsKey, Creator } from '../../repository/chat-repository.ts';
import type { EpochRepository } from '../../repository/epoch-repository.ts';
import type { Guard } from '../../repository/guard.ts';
import type { MemberRepository } from '../../repository/member-repository.ts';
import type { MembershipRepository, MembershipSnapshot } from '../../repository/membership-repository.ts';
import type { HistoryRange, MessageRepository } from '../../repository/message-repository.ts';
import { authorizeChat, authorizeOver, readerFor, tokenServes } from '../authorization.ts';
import { inOneEpoch } from '../delivery/start.ts';
import { digestOfUpdate } from '../writing/digests.ts';
import type { MessageWriter } from '../writing/message-writer.ts';
import { checkDataEnabled, toMessageData, toStoredData } from './data.ts';
import { getMembership } from './get-membership.ts';
import { toMentions } from './mentions.ts';
import { checkKindsEnabled } from './message-kinds.ts';
import { checkDirect, checkGroup, checkRoomName } from './new-chat.ts';
import { checkTextLength } from './text-length.ts';

export interface ChatServiceOptions {
  /** The longest text of a message, in Unicode characters. */
  maxTextLength: number;
  /** What may be used: older nodes may not know it. */
  features: ReadonlySet<Feature>;
  /** Whether joining a room that does not exist creates it. */
  createRoomsOnJoin: boolean;
  /** In chats with more members than this, typing is not published to the other members. */
  maxSignalMembers: number;
}

/** The most members whose presence is looked up in one request. */
const membersAtOnce = 1_000;

interface Deps {
  chats: ChatRepository;
  members: MemberRepository;
  memberships: MembershipRepository;
  messages: MessageRepository;
  writer: MessageWriter;
  presence: Presence;
  bus: Bus;
  epochs: EpochRepository;
}

/**
 * The operations on chats, members and messages. Each method throws the errors of the RPC of the same name in the contract. The roles in the
 * caller's token are checked before; the caller's role in the chat is checked here, for a change under the chat's lock and for a read in the
 * snapshot that was read.
 */
export class ChatService {
  readonly #chats: ChatRepository;
  readonly #members: MemberRepository;
  readonly #memberships: MembershipRepository;
  readonly #messages: MessageRepository;
  readonly #writer: MessageWriter;
  readonly #presence: Presence;
  readonly #bus: Bus;
  readonly #epochs: EpochRepository;
  readonly #options: ChatServiceOptions;

  constructor(
    { chats, members, memberships, messages, writer, presence, bus, epochs }: Deps,
    options: ChatServiceOptions,
  ) {
    this.#chats = chats;
    this.#members = members;
    this.#memberships = memberships;
    this.#messages = messages;
    this.#writer = writer;
    this.#presence = presence;
    this.#bus = bus;
    this.#epochs = epochs;
    this.#options = options;
  }

  async createChat(
    caller: Principal,
    { type, name, memberIds }: { type: ChatType; name: string; memberIds: readonly string[] },
  ): Promise<{ chat: Chat; created: boolean }> {
    const creator: Creator = { ...toUser(caller), external: caller.roles.includes('service') };
    switch (type) {
      case 'DIRECT': {
        const [one, other] = checkDirect(creator, name, memberIds);
        const { chat, created, message } = await this.#chats.openDirect(creator, other, one);
        if (message) this.#publish([message], [one, other]);
        return { chat, created };
      }
      case 'GROUP': {
        checkGroup(creator, memberIds);
        const { chat, message } = await this.#chats.createGroup(creator, name, memberIds);
        this.#publish([message], creator.external ? memberIds : [creator.id, ...memberIds]);
        return { chat, created: true };
      }
      case 'ROOM':
        checkRoomName(name);
        return this.#createRoom(creator, name, memberIds);
      default:
        return type satisfies never;
    }
  }

  async getChat(caller: Principal, chatId: string): Promise<Chat> {
    const chat = await this.#chats.get(chatId, caller.userId);
    authorizeChat('GetChat', caller, chat.type, chat.own?.role);
    return chat;
  }

  listChats(caller: Principal, limit: number, after?: ChatsKey): Promise<Page<Chat, ChatsKey>> {
    return this.#chats.listOfUser(caller.userId, limit, after);
  }

  /** Returns undefined if nothing changed. */
  async updateChat(
    caller: Principal,
    { chatId, clientChangeId, fields }: ChatUpdateRequest,
  ): Promise<Receipt | undefined> {
    const stored = { ...fields, data: fields.data && toStoredData(fields.data) };
    const update = { clientChangeId, fields: stored, digest: digestOfUpdate(stored) };
    const guard = guardOf('UpdateChat', caller, (type) => {
      refuseDirect(type, 'a direct chat has neither name nor description nor data');
      if (type === 'ROOM' && fields.name !== undefined) checkRoomName(fields.name);
    });
    const updated = await this.#chats.update(chatId, toUser(caller), update, guard);
    switch (updated.outcome) {
      case 'stored': {
        const { id: messageId, seq, createdAt } = updated.message;
        this.#publish([updated.message], []);
        return { messageId, seq, createdAt };
      }
      case 'repeated':
        // The first attempt may have been committed without an answer, and nobody has published it then.
        this.#bus.publishToChat(chatId, { kind: 'head', seq: updated.receipt.seq });
        return updated.receipt;
      case 'unchanged':
        return undefined;
      case 'reused':
        throw new ChatError('CHANGE_ID_REUSED', 'this client_change_id was used for another change');
      default:
        return updated satisfies never;
    }
  }

  async deleteChat(caller: Principal, chatId: string): Promise<void> {
    const members = await this.#chats.delete(chatId, toUser(caller), guardOf('DeleteChat', caller));
    this.#bus.publishToChat(chatId, { kind: 'deleted' });
    this.#bus.publishMembershipChange(members);
  }

  async addMembers(caller: Principal, chatId: string, userIds: readonly string[]): Promise<Member[]> {
    const guard = guardOf('AddMembers', caller, refuseDirect);
    const { added, message } = await this.#members.add(chatId, toUser(caller), userIds, guard);
    const addedIds = added.map(({ user }) => user.id);
    if (message) this.#publish([message], addedIds);
    return added;
  }

  listMembers(caller: Principal, chatId: string, limit: number, after?: string): Promise<Page<Member, string>> {
    return this.#members.list(chatId, limit, after, readerFor('ListMembers', caller));
  }

  async removeMember(caller: Principal, chatId: string, userId: string): Promise<void> {
    const guard: Guard = (access) => {
      authorizeOver('RemoveMember', caller, access);
      refuseDirect(access.chat.type);
    };
    this.#publish(await this.#members.remove(chatId, toUser(caller), userId, guard), [userId]);
  }

  async leaveChat(caller: Principal, chatId: string): Promise<void> {
    const guard = guardOf('LeaveChat', caller, refuseDirect);
    this.#publish(await this.#members.leave(chatId, toUser(caller), guard), [caller.userId]);
  }

  listRooms(caller: Principal, filter: string, limit: number, after?: string): Promise<Page<Chat, string>> {
    return this.#chats.listRooms(caller.userId, filter, limit, after);
  }

  async joinRoom(caller: Principal, name: string): Promise<{ chat: Chat; created: boolean }> {
    const user = toUser(caller);
    try {
      const { chat, message } = await this.#chats.joinRoom(name, user);
      if (message) this.#publish([message], [user.id]);
      return { chat, created: false };
    } catch (error) {
      const absent = error instanceof ChatError && error.reason === 'ROOM_NOT_FOUND';
      if (!absent || !this.#options.createRoomsOnJoin) throw error;
    }
    try {
      return await this.#createRoom(user, name, []);
    } catch (error) {
      // Another caller has created the room meanwhile.
      if (error instanceof ChatError && error.reason === 'ROOM_EXISTS') return this.joinRoom(caller, name);
      throw error;
    }
  }

  /** Not an async function: the order of the calls is the order of the messages within a chat. */
  sendMessage(caller: Principal, message: Omit<Draft, 'sender' | 'asService'>, signal?: AbortSignal): Promise<Receipt> {
    const { chatId, clientMessageId, text, type, silent, replyToId, rootId } = message;
    let mentions: readonly Mention[] | undefined;
    const { maxTextLength, features } = this.#options;
    let data: MessageData | undefined;
    try {
      checkTextLength(text, maxTextLength);
      data = message.data && toMessageData(message.data);
      if (data) checkDataEnabled(features);
      mentions = toMentions(message.mentions, text, features);
      if (type || silent || replyToId || rootId) checkKindsEnabled(features);
    } catch (error) {
      return Promise.reject(error);
    }
    const asService = tokenServes('SendMessage', caller);
    const options: Complete<MessageOptions> = { data, type, silent, replyToId, rootId, mentions };
    const draft: Complete<Draft> = { chatId, clientMessageId, text, ...options, sender: toUser(caller), asService };
    return this.#writer.append(draft, signal);
  }

  /** Returns the message, and the one that it replies to. */
  getMessage(
    caller: Principal,
    chatId: string,
    messageId: string,
  ): Promise<{ message: Message; referenced: Message[] }> {
    return this.#messages.getWithReferences(chatId, messageId, readerFor('GetMessage', caller));
  }

  /** Returns a page with the epoch of its numbers. */
  listMessages(
    caller: Principal,
    chatId: string,
    range: HistoryRange,
    limit: number,
  ): Promise<MessagePage & { epoch: string }> {
    const reader = readerFor('ListMessages', caller);
    return inOneEpoch(this.#epochs, async (epoch) => ({
      ...(await this.#messages.listHistory(chatId, range, limit, reader)),
      epoch,
    }));
  }

  async listOnlineUsers(
    caller: Principal,
    chatId: string | undefined,
    limit: number,
    after?: string,
    signal?: AbortSignal,
  ): Promise<Page<User, string>> {
    if (chatId === undefined) return toPage(await this.#presence.list(limit + 1, after), limit);
    const reader = readerFor('ListOnlineUsers', caller);
    const found: User[] = [];
    // Pages through the chat's members, whose number is limited, and not through all users who are online.
    for (let cursor = after; found.length <= limit; ) {
      signal?.throwIfAborted();
      const { items, next } = await this.#members.list(chatId, membersAtOnce, cursor, reader);
      const ids = items.map(({ user }) => user.id);
      const online = new Map((await this.#presence.filterOnline(ids)).map((user) => [user.id, user]));
      found.push(...ids.flatMap((id) => online.get(id) ?? []));
      if (next === undefined) break;
      cursor = next;
    }
    return toPage(found, limit);
  }

  /** Publishes to the readers of the chat that the caller is typing. */
  async sendTyping(caller: Principal, chatId: string): Promise<void> {
    const { memberCount } = await getMembership(
      { chats: this.#chats, memberships: this.#memberships },
      'SendTyping',
      caller,
      chatId,
    );
    if (memberCount > this.#options.maxSignalMembers) return;
    this.#bus.publishToChat(chatId, { kind: 'ephemeral', event: { kind: 'typing', chatId, user: toUser(caller) } });
  }

  /** Returns the caller's membership; throws unless the caller may read the chat's messages. */
  getMembership(caller: Principal, chatId: string): Promise<MembershipSnapshot> {
    return getMembership({ chats: this.#chats, memberships: this.#memberships }, 'Subscribe', caller, chatId);
  }

  async #createRoom(creator: Creator, name: string, memberIds: readonly string[]) {
    const { chat, message } = await this.#chats.createRoom(creator, name, memberIds);
    this.#publish([message], creator.external ? memberIds : [creator.id, ...memberIds]);
    return { chat, created: true };
  }

  /** Publishes messages of one chat, in their order, and to each user in `membersChanged` that a membership has begun or ended. */
  #publish(messages: readonly Message[], membersChanged: readonly string[]): void {
    const [first] = messages;
    if (first) this.#bus.publishToChat(first.chatId, { kind: 'entries', entries: messages.map(entryOf) });
    this.#bus.publishMembershipChange(membersChanged);
  }
}

function toUser({ userId, name }: Principal): User {
  return { id: userId, name };
}

function guardOf(
  method: Parameters<typeof authorizeChat>[0],
  caller: Principal,
  also?: (type: ChatType) => void,
): Guard {
  return ({ chat, role }) => {
    authorizeChat(method, caller, chat.type, role);
    also?.(chat.type);
  };
}

function refuseDirect(type: ChatType, why = 'the members of a direct chat do not change'): void {
  if (type === 'DIRECT') throw new ChatError('CHAT_IS_DIRECT', why);
}

function toPage(users: User[], limit: number): Page<User, string> {
  const items = users.slice(0, limit);
  return { items, ...(users.length > limit && { next: items.at(-1)?.id }) };
}
