import type { Bus } from '../../client/bus/bus.ts';
import type { EphemeralEvent } from '../../model/ephemeral-event.ts';
import { ChatError, invalidFieldsError } from '../../model/errors.ts';
import type { MessageReceipt, ReadMark } from '../../model/member.ts';
import type { Message } from '../../model/message.ts';
import type { Page } from '../../model/page.ts';
import type { Principal } from '../../model/principal.ts';
import type { ChatRepository } from '../../repository/chat-repository.ts';
import type { MembershipRepository, MembershipSnapshot } from '../../repository/membership-repository.ts';
import type { MentionKey, MentionRepository } from '../../repository/mention-repository.ts';
import type { PersonalSettingsRepository } from '../../repository/personal-settings-repository.ts';
import type { MovedMark, ReadMarkRepository } from '../../repository/read-mark-repository.ts';
import type { ReceiptRepository } from '../../repository/receipt-repository.ts';
import { readerFor } from '../authorization.ts';
import { getMembership } from './get-membership.ts';
import { isLater } from './is-later.ts';

export interface ReceiptServiceOptions {
  /** In chats with more members than this, marks are not published to the other members, and there are no delivered marks and receipts. */
  maxSignalMembers: number;
}

interface Deps {
  chats: Pick<ChatRepository, 'get'>;
  memberships: Pick<MembershipRepository, 'find'>;
  readMarks: ReadMarkRepository;
  receipts: ReceiptRepository;
  settings: PersonalSettingsRepository;
  mentions: MentionRepository;
  bus: Bus;
}

type Marking = 'MarkRead' | 'MarkUnread' | 'MarkDelivered';

/**
 * How far members have read and received chats, where they are mentioned, and what each has set for itself. Each method throws the errors of the RPC of the same name in the
 * contract. The roles in the caller's token are checked before.
 */
export class ReceiptService {
  readonly #deps: Deps;
  readonly #options: ReceiptServiceOptions;

  constructor(deps: Deps, options: ReceiptServiceOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  markRead(caller: Principal, chatId: string, seq: number, ifGeneration?: number): Promise<void> {
    return this.#moveReadMark('MarkRead', caller, chatId, ['seq', seq], () =>
      this.#deps.readMarks.advance(chatId, caller.userId, { seq, ifGeneration }),
    );
  }

  markUnread(caller: Principal, chatId: string, fromSeq: number): Promise<void> {
    return this.#moveReadMark('MarkUnread', caller, chatId, ['from_seq', fromSeq], () =>
      this.#deps.readMarks.moveBack(chatId, caller.userId, fromSeq),
    );
  }

  /** Returns the caller's own read mark and the number of unread messages. */
  async getReadMark(operation: 'MarkRead' | 'MarkUnread', caller: Principal, chatId: string): Promise<ReadMark> {
    const mark = await this.#deps.readMarks.find(chatId, caller.userId);
    if (mark) return mark;
    await getMembership(this.#deps, operation, caller, chatId);
    // The caller became a member between the two reads.
    return this.getReadMark(operation, caller, chatId);
  }

  /** Returns the caller's delivered mark after the call. In a large chat nothing changes: each member would write for each message. */
  async markDelivered(caller: Principal, chatId: string, seq: number): Promise<number> {
    const { readMarks } = this.#deps;
    const { memberCount } = await this.#checkMark('MarkDelivered', caller, chatId, ['seq', seq]);
    const isSmall = memberCount <= this.#options.maxSignalMembers;
    const mark = isSmall ? await readMarks.deliver(chatId, caller.userId, seq) : undefined;
    if (mark?.moved) this.#publish({ kind: 'delivered', chatId, userId: caller.userId, seq: mark.deliveredSeq });
    const deliveredSeq = mark?.deliveredSeq ?? (await readMarks.findDelivered(chatId, caller.userId));
    // The membership has ended since it was read.
    return deliveredSeq ?? this.markDelivered(caller, chatId, seq);
  }

  listReceipts(
    caller: Principal,
    message: { chatId: string; messageId: string },
    limit: number,
    after?: string,
  ): Promise<Page<MessageReceipt, string>> {
    const reader = readerFor('ListReceipts', caller);
    return this.#deps.receipts.list({ ...message, reader }, this.#options.maxSignalMembers, limit, after);
  }

  /** Returns the messages that mention the caller, newest first. */
  listMentions(caller: Principal, limit: number, after?: MentionKey): Promise<Page<Message, MentionKey>> {
    return this.#deps.mentions.list(caller.userId, limit, after);
  }

  /** Undefined: the chat is not muted any more. */
  async muteChat(caller: Principal, chatId: string, until: Date | undefined): Promise<void> {
    if (until && !isLater(until)) {
      throw invalidFieldsError({ field: 'until', description: 'must be in the future, and before the year 10000' });
    }
    await getMembership(this.#deps, 'MuteChat', caller, chatId);
    const isMember = await this.#deps.settings.mute(chatId, caller.userId, until);
    // The membership has ended since it was read.
    if (!isMember) return this.muteChat(caller, chatId, until);
    // The mark does not move: it is news for the caller's other devices, which then read the chat anew.
    const mark = await this.#deps.readMarks.advance(chatId, caller.userId, { seq: 0, ifGeneration: undefined });
    if (mark) this.#publishReadMark(caller, chatId, mark, caller.userId);
  }

  async #moveReadMark(
    operation: Marking,
    caller: Principal,
    chatId: string,
    field: [name: string, seq: number],
    move: () => Promise<MovedMark | undefined>,
  ): Promise<void> {
    const { memberCount } = await this.#checkMark(operation, caller, chatId, field);
    const mark = await move();
    // The membership has ended since it was read.
    if (!mark) return this.#moveReadMark(operation, caller, chatId, field, move);
    if (!mark.moved) return;
    // In a large chat only the caller's own devices are notified: they are few.
    const onlyTo = memberCount > this.#options.maxSignalMembers ? caller.userId : undefined;
    this.#publishReadMark(caller, chatId, mark, onlyTo);
  }

  #publishReadMark({ userId }: Principal, chatId: string, mark: MovedMark, onlyTo: string | undefined): void {
    const { readSeq: seq, readGeneration: generation } = mark;
    this.#publish({ kind: 'read', chatId, userId, seq, generation }, onlyTo);
  }

  async #checkMark(
    operation: Marking,
    caller: Principal,
    chatId: string,
    [field, seq]: [name: string, seq: number],
  ): Promise<MembershipSnapshot> {
    const membership = await getMembership(this.#deps, operation, caller, chatId);
    if (seq <= membership.lastSeq) return membership;
    const description = `must be at most ${membership.lastSeq}, the chat's last number`;
    throw new ChatError('CURSOR_IN_FUTURE', `${field} ${description}`, { violations: [{ field, description }] });
  }

  #publish(event: EphemeralEvent, onlyTo?: string): void {
    this.#deps.bus.publishToChat(event.chatId, {
      kind: 'ephemeral',
      event,
      ...(onlyTo !== undefined && { onlyTo }),
    });
  }
}
