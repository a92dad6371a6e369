import type { ChangeDraft, ChangeReceipt, ChangeRequest, MessageVersion } from '../../model/change.ts';
import { ChatError } from '../../model/errors.ts';
import type { Page } from '../../model/page.ts';
import type { Principal } from '../../model/principal.ts';
import type { ChangeRepository } from '../../repository/change-repository.ts';
import type { ChangesPage, MessageRepository } from '../../repository/message-repository.ts';
import { tokenServes } from '../authorization.ts';
import type { ChangeWriter } from '../writing/change-writer.ts';
import type { ChatService } from './chat-service.ts';
import { checkTextLength } from './text-length.ts';

export interface ChangeServiceOptions {
  /** The longest text of a message, in Unicode characters. */
  maxTextLength: number;
}

interface Deps {
  changes: Pick<ChangeRepository, 'listVersions'>;
  writer: ChangeWriter;
  messages: Pick<MessageRepository, 'findChangesAsMember'>;
  chats: Pick<ChatService, 'getMembership' | 'checkVersionsReader'>;
}

/**
 * Changes of messages after they were sent. Each method throws the errors of the RPC of the same name in the contract. The roles in the caller's
 * token are checked before; the caller's role in the chat and the message are checked under the chat's lock.
 */
export class ChangeService {
  readonly #deps: Deps;
  readonly #maxTextLength: number;

  constructor(deps: Deps, { maxTextLength }: ChangeServiceOptions) {
    this.#deps = deps;
    this.#maxTextLength = maxTextLength;
  }

  async editMessage(caller: Principal, request: ChangeRequest & { text: string }): Promise<ChangeReceipt> {
    const { text, ...rest } = request;
    checkTextLength(text, this.#maxTextLength);
    return this.#append('EditMessage', caller, rest, { kind: 'edited', text });
  }

  deleteMessage(
    caller: Principal,
    { hide, reason, ...rest }: ChangeRequest & { hide: boolean; reason: string },
  ): Promise<ChangeReceipt> {
    return this.#append('DeleteMessage', caller, rest, { kind: 'deleted', hide, reason });
  }

  async listMessageVersions(
    caller: Principal,
    chatId: string,
    messageId: string,
    limit: number,
    after?: number,
  ): Promise<Page<MessageVersion, number>> {
    const page = this.#deps.changes.listVersions(chatId, messageId, limit, after);
    // A caller who may not read the versions must not learn whether the message exists.
    page.catch(() => {});
    await this.#deps.chats.checkVersionsReader(caller, chatId);
    return page;
  }

  async listChanges(caller: Principal, chatId: string, afterSeq: number, limit: number): Promise<ChangesPage> {
    const page = await this.#deps.messages.findChangesAsMember(chatId, caller.userId, afterSeq, limit);
    if (!page) {
      await this.#deps.chats.getMembership(caller, chatId);
      // The caller became a member between the two reads.
      return this.listChanges(caller, chatId, afterSeq, limit);
    }
    if (afterSeq > page.lastSeq) {
      const description = `must be at most ${page.lastSeq}, the chat's last number`;
      const violations = [{ field: 'after_seq', description }];
      throw new ChatError('CURSOR_IN_FUTURE', `after_seq ${description}`, { violations });
    }
    return page;
  }

  #append(
    operation: 'EditMessage' | 'DeleteMessage',
    caller: Principal,
    request: ChangeRequest,
    change: ChangeDraft['change'],
  ): Promise<ChangeReceipt> {
    const asService = tokenServes(operation, caller);
    return this.#deps.writer.append({ ...request, actorId: caller.userId, asService, change });
  }
}
