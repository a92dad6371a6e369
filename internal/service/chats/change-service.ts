import { hash } from 'node:crypto';
import type { Bus } from '../../client/bus/bus.ts';
import type { ChangeDraft, ChangeReceipt, ChangeRequest, MessageVersion } from '../../model/change.ts';
import { ChatError } from '../../model/errors.ts';
import { operations } from '../../model/operations.ts';
import type { Page } from '../../model/page.ts';
import type { Principal } from '../../model/principal.ts';
import type { ChangeRefusal, ChangeRepository, ChangeRules } from '../../repository/change-repository.ts';
import type { ChangesPage, MessageRepository } from '../../repository/message-repository.ts';
import { refusalOf, tokenServes } from '../authorization.ts';
import type { ChatService } from './chat-service.ts';
import { checkTextLength } from './text-length.ts';

export interface ChangeServiceOptions extends Pick<ChangeRules, 'editWindowMs' | 'deleteWindowMs' | 'keepVersions'> {
  /** The longest text of a message, in Unicode characters. */
  maxTextLength: number;
}

interface Deps {
  changes: ChangeRepository;
  messages: Pick<MessageRepository, 'findChangesAsMember'>;
  chats: Pick<ChatService, 'getMembership' | 'checkVersionsReader'>;
  bus: Bus;
}

/**
 * Changes of messages after they were sent. Each method throws the errors of the RPC of the same name in the contract. The roles in the caller's
 * token are checked before; the caller's role in the chat and the message are checked under the chat's lock.
 */
export class ChangeService {
  readonly #deps: Deps;
  readonly #rules: ChangeRules;
  readonly #maxTextLength: number;

  constructor(deps: Deps, { maxTextLength, ...rules }: ChangeServiceOptions) {
    this.#deps = deps;
    this.#maxTextLength = maxTextLength;
    this.#rules = {
      ...rules,
      sendingRoles: operations.EditMessage.chat.roles,
      moderatingRoles: operations.ListMessageVersions.chat.roles,
    };
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

  async #append(
    operation: 'EditMessage' | 'DeleteMessage',
    caller: Principal,
    request: ChangeRequest,
    change: ChangeDraft['change'],
  ): Promise<ChangeReceipt> {
    const { changes, bus } = this.#deps;
    const asService = tokenServes(operation, caller);
    const draft = { ...request, actorId: caller.userId, asService, change };
    const [changed] = await changes.appendBatch([{ ...draft, digest: digestOf(draft) }], this.#rules);
    if (!changed) throw new TypeError('a change without an outcome');
    switch (changed.outcome) {
      case 'stored':
        bus.publishToChat(request.chatId, { kind: 'messages', messages: [changed.message] });
        return { seq: changed.seq, createdAt: changed.createdAt };
      case 'repeated':
        // The first attempt may have been committed without an answer, and nobody has published it then.
        bus.publishToChat(request.chatId, { kind: 'head', seq: changed.seq });
        return { seq: changed.seq, createdAt: changed.createdAt };
      case 'already_deleted':
        return { seq: changed.seq, createdAt: changed.createdAt };
      default:
        throw toError(changed.outcome, changed.chatType);
    }
  }
}

/** 128 bits of SHA-256 over what must be equal in a repetition. */
function digestOf({ messageId, change }: Pick<ChangeDraft, 'messageId' | 'change'>): Buffer {
  const content = change.kind === 'edited' ? change.text : change.hide;
  return hash('sha256', JSON.stringify([change.kind, messageId, content]), 'buffer').subarray(0, 16);
}

function toError(outcome: ChangeRefusal, chatType: Parameters<typeof refusalOf>[1]): ChatError {
  switch (outcome) {
    case 'chat_not_found':
    case 'not_a_member':
    case 'role_too_low':
      return refusalOf(outcome, chatType);
    case 'reused':
      return new ChatError('CHANGE_ID_REUSED', 'this client_change_id was used for another change');
    case 'message_not_found':
      return new ChatError('MESSAGE_NOT_FOUND', 'there is no such message in this chat');
    case 'system_message':
      return new ChatError('SYSTEM_MESSAGE', 'messages of the service cannot be changed');
    case 'not_the_sender':
      return new ChatError('NOT_THE_SENDER', 'you may not change the messages of others');
    case 'message_deleted':
      return new ChatError('MESSAGE_DELETED', 'the message has been deleted');
    case 'too_late':
      return new ChatError('TOO_LATE', 'the message is too old to be changed');
    case 'version_conflict':
      return new ChatError('VERSION_CONFLICT', 'the message has changed since the version in if_version');
    default:
      return outcome satisfies never;
  }
}
