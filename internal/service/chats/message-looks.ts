import { ChatError } from '../../model/errors.ts';
import type { Message } from '../../model/message.ts';
import type { Principal } from '../../model/principal.ts';
import type { AuditRepository } from '../../repository/audit-repository.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';

interface Deps {
  messages: Pick<MessageRepository, 'listHistory'>;
  audit: Pick<AuditRepository, 'record'>;
}

/** Messages in one look. */
const most = 50;

/** Lets administrators look at the messages of a chat that they are no members of. The audit log has each look. */
export class MessageLooks {
  readonly #deps: Deps;
  readonly #isAllowed: () => boolean;

  constructor(deps: Deps, isAllowed: () => boolean) {
    this.#deps = deps;
    this.#isAllowed = isAllowed;
  }

  /**
   * Returns the newest messages of the chat, or those before a number, in their order. The audit log has `messages.look` before they are read. Throws
   * PERMISSION_DENIED (METHOD_NOT_ALLOWED) where that is turned off, NOT_FOUND (CHAT_NOT_FOUND), UNAVAILABLE (STORAGE_UNAVAILABLE).
   */
  async look(
    actor: Principal,
    chatId: string,
    beforeSeq: number | undefined,
  ): Promise<{ messages: Message[]; hasMore: boolean }> {
    if (!this.#isAllowed()) {
      throw new ChatError('METHOD_NOT_ALLOWED', 'administrators may not look at messages here: ADMIN_SHOW_MESSAGES');
    }
    const { messages, audit } = this.#deps;
    const user = { id: actor.userId, name: actor.name };
    const before = beforeSeq === undefined ? {} : { before_seq: beforeSeq };
    await audit.record(user, 'messages.look', before, chatId);
    const range = beforeSeq === undefined ? 'newest' : { beforeSeq };
    return messages.listHistory(chatId, range, most, { userId: actor.userId, guard: () => {} });
  }
}
