import type { AppendResult, IngestLog } from '../../client/ingest/ingest-log.ts';
import { ChatError } from '../../model/errors.ts';
import type { ChatRole } from '../../model/member.ts';
import type { AcceptedMessage } from '../../model/message.ts';
import type { Appended, MessageRepository, NewMessage } from '../../repository/message-repository.ts';
import type { Checked, SenderChecks } from './sender-checks.ts';

interface Deps {
  checks: Pick<SenderChecks, 'check'>;
  log: Pick<IngestLog, 'append'>;
}

/**
 * Accepts messages: keeps them in the ingest log, from which writers put them into the database. It stands in for the database under the
 * MessageWriter, which sees to batches and to the order in a chat: no chat is in two batches at a time.
 */
export class MessageAcceptor implements Pick<MessageRepository, 'appendBatch'> {
  readonly #checks: Pick<SenderChecks, 'check'>;
  readonly #log: Pick<IngestLog, 'append'>;
  /** Messages of which an earlier attempt may be in the log: that they would be refused now does not mean that they are not kept. */
  readonly #perhapsKept = new WeakSet<NewMessage>();

  constructor({ checks, log }: Deps) {
    this.#checks = checks;
    this.#log = log;
  }

  /**
   * Resolves once every message of the batch is kept, or known not to be. Throws UNAVAILABLE (STORAGE_UNAVAILABLE) if none is known
   * to be kept and the same batch may succeed later.
   */
  async appendBatch(batch: readonly NewMessage[], sendingRoles: readonly ChatRole[]): Promise<Appended[]> {
    const checked = await this.#checks.check(batch, sendingRoles);
    const acceptedAt = new Date();
    const kept = new Map<AcceptedMessage, AppendResult>();
    const passed = batch.map((message, i): AcceptedMessage | undefined =>
      checked[i]?.outcome === 'acceptable' ? { ...message, acceptedAt } : undefined,
    );
    const accepted = passed.filter((message) => message !== undefined);
    const answers = await this.#log.append(accepted);
    for (const [i, message] of accepted.entries()) kept.set(message, answers[i]!);
    for (const [i, message] of batch.entries()) {
      const own = passed[i];
      if (own && kept.get(own)!.outcome === 'unavailable') this.#perhapsKept.add(message);
    }
    retryIfNothingIsKept(checked, answers);
    return batch.map((message, i) => {
      const own = passed[i];
      return own ? toAppended(own, kept.get(own)!) : this.#notAccepted(message, checked[i]!, acceptedAt);
    });
  }

  #notAccepted(message: NewMessage, checked: Checked, createdAt: Date): Appended {
    const { id: messageId } = message;
    if (checked.outcome === 'repeated') return checked;
    const isSure = checked.outcome !== 'unknown' && checked.outcome !== 'acceptable' && !this.#perhapsKept.has(message);
    const outcome = isSure ? checked.outcome : 'unavailable';
    const chatType = 'chatType' in checked ? checked.chatType : undefined;
    return { outcome, ...(chatType && { chatType }), messageId, seq: 0, createdAt };
  }
}

/**
 * A message that failed is tried again only if no other was kept meanwhile: it must not come to stand behind one that was sent later and has been
 * acknowledged.
 */
function retryIfNothingIsKept(checked: readonly Checked[], answers: readonly AppendResult[]): void {
  const lost = answers.find((answer) => answer.outcome === 'unavailable');
  const unknown = checked.some(({ outcome }) => outcome === 'unknown');
  const settled = answers.some(({ outcome }) => outcome === 'kept' || outcome === 'known');
  if (settled || !(lost || unknown)) return;
  throw new ChatError('STORAGE_UNAVAILABLE', 'messages cannot be kept at the moment', {
    retryAfterMs: 1_000,
    cause: lost?.cause,
  });
}

function toAppended(message: AcceptedMessage, kept: AppendResult): Appended {
  const { id: messageId, acceptedAt: createdAt } = message;
  switch (kept.outcome) {
    case 'kept':
      return { outcome: 'accepted', messageId, seq: 0, createdAt };
    case 'known': {
      const { first } = kept;
      const outcome = first.contentHash.equals(message.contentHash) ? 'accepted' : 'reused';
      return { outcome, messageId: first.id, seq: 0, createdAt: first.acceptedAt };
    }
    case 'full':
      return { outcome: 'full', messageId, seq: 0, createdAt };
    case 'unavailable':
      return { outcome: 'unavailable', messageId, seq: 0, createdAt };
    default:
      return kept satisfies never;
  }
}
