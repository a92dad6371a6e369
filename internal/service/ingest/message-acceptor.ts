import type { AppendResult, IngestLog } from '../../client/ingest/ingest-log.ts';
import { ChatError } from '../../model/errors.ts';
import type { ChatRole } from '../../model/member.ts';
import type { AcceptedMessage } from '../../model/message.ts';
import type { Appended, MessageRepository, NewMessage } from '../../repository/message-repository.ts';
import { acceptedMessageId } from './accepted-message-id.ts';
import type { SenderCheck, SenderChecks } from './sender-checks.ts';

interface Deps {
  checks: Pick<SenderChecks, 'check'>;
  log: Pick<IngestLog, 'append'>;
}

/**
 * Accepts messages: appends them to the ingest log, from which the partition writers move them to the database. It takes the place of the message
 * repository under MessageWriter, which makes the batches and keeps the order of each chat: no chat is in two batches at a time.
 */
export class MessageAcceptor implements Pick<MessageRepository, 'appendBatch'> {
  readonly #checks: Pick<SenderChecks, 'check'>;
  readonly #log: Pick<IngestLog, 'append'>;
  /** Messages whose earlier attempt may be in the log. If a check refuses one of them now, the result is "unavailable", not the refusal. */
  readonly #maybeAppended = new WeakSet<NewMessage>();

  constructor({ checks, log }: Deps) {
    this.#checks = checks;
    this.#log = log;
  }

  /**
   * Resolves with a result for each message, in the order of the batch. Throws UNAVAILABLE (STORAGE_UNAVAILABLE) if the caller should try the same batch
   * again: the log has stored none of it for certain.
   */
  async appendBatch(batch: readonly NewMessage[], sendingRoles: readonly ChatRole[]): Promise<Appended[]> {
    const checked = await this.#checks.check(batch, sendingRoles);
    const acceptedAt = new Date();
    const results = new Map<AcceptedMessage, AppendResult>();
    const passed = batch.map((message, i): AcceptedMessage | undefined =>
      checked[i]?.outcome === 'acceptable' ? { ...message, id: acceptedMessageId(message), acceptedAt } : undefined,
    );
    const accepted = passed.filter((message) => message !== undefined);
    const answers = await this.#log.append(accepted);
    for (const [i, message] of accepted.entries()) results.set(message, answers[i]!);
    for (const [i, message] of batch.entries()) {
      const own = passed[i];
      if (own && results.get(own)!.outcome === 'unavailable') this.#maybeAppended.add(message);
    }
    throwIfRetryIsSafe(checked, answers);
    return batch.map((message, i) => {
      const own = passed[i];
      return own ? toAppended(own, results.get(own)!) : this.#notAccepted(message, checked[i]!, acceptedAt);
    });
  }

  #notAccepted(message: NewMessage, checked: SenderCheck, createdAt: Date): Appended {
    const { id: messageId } = message;
    if (checked.outcome === 'repeated') return checked;
    const isSure =
      checked.outcome !== 'unknown' && checked.outcome !== 'acceptable' && !this.#maybeAppended.has(message);
    const outcome = isSure ? checked.outcome : 'unavailable';
    const chatType = 'chatType' in checked ? checked.chatType : undefined;
    const mentionFault = 'mentionFault' in checked ? checked.mentionFault : undefined;
    return {
      outcome,
      ...(chatType && { chatType }),
      ...(mentionFault && { mentionFault }),
      messageId,
      seq: 0,
      createdAt,
    };
  }
}

/**
 * Throws UNAVAILABLE if a message failed and the log has stored no other one of the batch. Otherwise a second attempt could put the message behind one
 * that was sent later and is acknowledged already.
 */
function throwIfRetryIsSafe(checked: readonly SenderCheck[], answers: readonly AppendResult[]): void {
  const lost = answers.find((answer) => answer.outcome === 'unavailable');
  const unknown = checked.some(({ outcome }) => outcome === 'unknown');
  const settled = answers.some(({ outcome }) => outcome === 'appended' || outcome === 'duplicate');
  if (settled || !(lost || unknown)) return;
  throw new ChatError('STORAGE_UNAVAILABLE', 'messages cannot be accepted at the moment', {
    retryAfterMs: 1_000,
    cause: lost?.cause,
  });
}

function toAppended(message: AcceptedMessage, result: AppendResult): Appended {
  const { id: messageId, acceptedAt: createdAt } = message;
  switch (result.outcome) {
    case 'appended':
      return { outcome: 'accepted', messageId, seq: 0, createdAt };
    case 'duplicate': {
      const { first } = result;
      const outcome = first.contentHash.equals(message.contentHash) ? 'accepted' : 'reused';
      return { outcome, messageId: first.id, seq: 0, createdAt: first.acceptedAt };
    }
    case 'full':
      return { outcome: 'full', messageId, seq: 0, createdAt };
    case 'unavailable':
      return { outcome: 'unavailable', messageId, seq: 0, createdAt };
    default:
      return result satisfies never;
  }
}
