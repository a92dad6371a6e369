import type { ChangeDraft, ChangeReceipt, ChangeRequest, MessageVersion } from '../../model/change.ts';
import { ChatError } from '../../model/errors.ts';
import type { Page } from '../../model/page.ts';
import type { Principal } from '../../model/principal.ts';
import type { ChangeRepository } from '../../repository/change-repository.ts';
import type { ChangesPage, MessageRepository } from '../../repository/message-repository.ts';
import { readerFor, tokenServes } from '../authorization.ts';
import type { ChangeWriter } from '../writing/change-writer.ts';
import type { ChatService } from './chat-service.ts';
import { checkTextLength } from './text-length.ts';

export interface ChangeServiceOptions {
  /** The longest text of a message, in Unicode characters. */
  maxTextLength: number;
  /** Whether messages may be accepted and not yet written (`INGEST=jetstream`). */
  acceptsFirst: boolean;
}

interface Deps {
  changes: Pick<ChangeRepository, 'listVersions' | 'isWritten'>;
  writer: ChangeWriter;
  messages: Pick<MessageRepository, 'findChangesAsMember'>;
  chats: Pick<ChatService, 'getMembership'>;
}

/**
 * Changes of messages after they were sent. Each method throws the errors of the RPC of the same name in the contract. The roles in the caller's
 * token are checked before; the caller's role in the chat and the message are checked under the chat's lock.
 */
export class ChangeService {
  readonly #deps: Deps;
  readonly #options: ChangeServiceOptions;

  constructor(deps: Deps, options: ChangeServiceOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async editMessage(caller: Principal, request: ChangeRequest & { text: string }): Promise<ChangeReceipt> {
    const { text, ...rest } = request;
    checkTextLength(text, this.#options.maxTextLength);
    return this.#append('EditMessage', caller, rest, { kind: 'edited', text });
  }

  deleteMessage(
    caller: Principal,
    { hide, reason, ...rest }: ChangeRequest & { hide: boolean; reason: string },
  ): Promise<ChangeReceipt> {
    return this.#append('DeleteMessage', caller, rest, { kind: 'deleted', hide, reason });
  }

  listMessageVersions(
    caller: Principal,
    chatId: string,
    messageId: string,
    limit: number,
    after?: number,
  ): Promise<Page<MessageVersion, number>> {
    const reader = readerFor('ListMessageVersions', caller);
    return this.#deps.changes.listVersions({ chatId, messageId, reader }, limit, after);
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

  async #append(
    operation: 'EditMessage' | 'DeleteMessage',
    caller: Principal,
    request: ChangeRequest,
    change: ChangeDraft['change'],
  ): Promise<ChangeReceipt> {
    const asService = tokenServes(operation, caller);
    try {
      return await this.#deps.writer.append({ ...request, actorId: caller.userId, asService, change });
    } catch (error) {
      if (await this.#isUnwritten(error, request)) {
        throw new ChatError('STORAGE_UNAVAILABLE', 'the message is not written yet', { retryAfterMs: 500 });
      }
      throw error;
    }
  }

  /** Whether a message that was not found may be one that is accepted and not yet written. A hidden message is written, and not found either. */
  async #isUnwritten(error: unknown, { chatId, messageId }: ChangeRequest): Promise<boolean> {
    if (!this.#options.acceptsFirst || !(error instanceof ChatError) || error.reason !== 'MESSAGE_NOT_FOUND')
      return false;
    return isAcceptedId(messageId) && !(await this.#deps.changes.isWritten(chatId, messageId));
  }
}

/** Whether the id is one that `INGEST=jetstream` gives: a UUID of version 8. */
function isAcceptedId(id: string): boolean {
  return id[14] === '8';
}
