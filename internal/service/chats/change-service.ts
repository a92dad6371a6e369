import type { ChangeDraft, ChangeReceipt, ChangeRequest, MessageVersion, NewContent } from '../../model/change.ts';
import type { Cursor } from '../../model/command.ts';
import { ChatError } from '../../model/errors.ts';
import type { Feature } from '../../model/feature.ts';
import type { Message } from '../../model/message.ts';
import type { Page } from '../../model/page.ts';
import type { Principal } from '../../model/principal.ts';
import type { ChangeRepository } from '../../repository/change-repository.ts';
import type { EpochRepository } from '../../repository/epoch-repository.ts';
import type { ChangesPage, MessageRepository } from '../../repository/message-repository.ts';
import { readerFor, tokenServes } from '../authorization.ts';
import { findStarts, inOneEpoch } from '../delivery/start.ts';
import { retryUnwritten, type Unwritten } from '../ingest/retry-unwritten.ts';
import type { ChangeWriter } from '../writing/change-writer.ts';
import type { ChatService } from './chat-service.ts';
import { checkDataEnabled, toStoredData } from './data.ts';
import { toMentions } from './mentions.ts';
import { checkTextLength } from './text-length.ts';

export interface ChangeServiceOptions {
  /** The longest text of a message, in Unicode characters. */
  maxTextLength: number;
  /** What may be used: older nodes may not know it. */
  features: ReadonlySet<Feature>;
}

/** Changes with the epoch of their numbers. */
export interface ChangesOfEpoch extends ChangesPage {
  epoch: string;
  /** Present if the cursor's epoch is over and numbers up to the cursor may mean something else now: the page begins after this number. */
  resetFromSeq: number | undefined;
  /** The messages that those of the page reply to and that are not in the page, in a state that is not older than the page. */
  referenced: Message[];
}

interface Deps {
  changes: Pick<ChangeRepository, 'listVersions'>;
  writer: ChangeWriter;
  messages: Pick<MessageRepository, 'findChangesAsMember' | 'listReferenced'>;
  chats: Pick<ChatService, 'getMembership'>;
  epochs: EpochRepository;
  /** Present if messages are accepted before they are written (`INGEST=jetstream`). */
  unwritten?: Unwritten | undefined;
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

  async editMessage(caller: Principal, request: ChangeRequest & NewContent): Promise<ChangeReceipt> {
    const { text, data, mentions: given, ...rest } = request;
    checkTextLength(text, this.#options.maxTextLength);
    if (data) checkDataEnabled(this.#options.features);
    const mentions = toMentions(given, text, this.#options.features);
    return this.#append('EditMessage', caller, rest, {
      kind: 'edited',
      text,
      ...(data && { data: toStoredData(data) }),
      ...(mentions && { mentions }),
    });
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

  /** Returns the changes after a cursor. If its epoch is over, the page may begin earlier: `resetFromSeq` says so. */
  listChanges(caller: Principal, chatId: string, cursor: Cursor, limit: number): Promise<ChangesOfEpoch> {
    const { epochs } = this.#deps;
    return inOneEpoch(epochs, async (epoch) => {
      const starts = await findStarts(epochs, epoch, new Map([[chatId, cursor]]));
      const { afterSeq } = starts.get(chatId)!;
      const page = await this.#listChanges(caller, chatId, afterSeq, limit);
      const reader = readerFor('ListChanges', caller);
      const referenced = await this.#deps.messages.listReferenced(chatId, page.batch.entries, reader);
      return { ...page, epoch, resetFromSeq: afterSeq < cursor.seq ? afterSeq : undefined, referenced };
    });
  }

  async #listChanges(caller: Principal, chatId: string, afterSeq: number, limit: number): Promise<ChangesPage> {
    const page = await this.#deps.messages.findChangesAsMember(chatId, caller.userId, afterSeq, limit);
    if (!page) {
      await this.#deps.chats.getMembership(caller, chatId);
      // The caller became a member between the two reads.
      return this.#listChanges(caller, chatId, afterSeq, limit);
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
    const draft = { ...request, actorId: caller.userId, asService, change };
    return retryUnwritten(this.#deps.unwritten, request, () => this.#deps.writer.append(draft));
  }
}
