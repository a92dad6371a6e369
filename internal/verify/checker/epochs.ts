import type {
  CallRecord,
  ChangeRecord,
  EpochRecord,
  OpenRecord,
  ReactRecord,
  SendRecord,
  StreamRecord,
} from '../history/history-record.ts';

/** The epochs of a history: after each `epoch` record the database lacks the last numbers of some chats, and gives them out anew. */
export class Epochs {
  readonly #records: EpochRecord[] = [];

  /** The number of the present epoch; the first is 0. */
  get present(): number {
    return this.#records.length;
  }

  /** When the last epoch began; undefined in the first. */
  get lastAt(): number | undefined {
    return this.#records.at(-1)?.at;
  }

  add(record: EpochRecord): void {
    this.#records.push(record);
  }

  /** The number of the epoch with this name. Names that are not of a later epoch are those of the first. */
  find(name: string): number {
    return this.#records.findIndex(({ epoch }) => epoch === name) + 1;
  }

  /** The epoch in which a reader begins. The answer to a subscription names it; a page that was asked for before an epoch may be of the one before. */
  ofReader({ begin, epoch, cursorEpoch }: OpenRecord): number {
    if (epoch !== undefined) return this.find(cursorEpoch || epoch);
    return this.#records.filter(({ at }) => at <= begin).length;
  }

  /** The last number of the chat that is the same in an epoch and in the present one; undefined if all are. */
  validThrough(chatId: string, epoch: number): number | undefined {
    const later = this.#records.slice(epoch);
    return later.length === 0 ? undefined : Math.min(...later.map(({ chats }) => chats[chatId] ?? 0));
  }

  /**
   * Returns the record of an operation as it must be judged: what was accepted by a database that is no more, or may have been, has an unknown outcome,
   * unless its number survived.
   */
  judge<R extends SendRecord | ChangeRecord | ReactRecord | StreamRecord | CallRecord>(record: R): R {
    const last = this.#records.at(-1);
    if (!last || record.begin >= last.at || record.outcome !== 'ok') return record;
    const { chatId = '' } = record;
    if (record.kind !== 'call' && record.seq && record.seq <= (last.chats[chatId] ?? 0)) return record;
    return { ...record, ...unknown(record) };
  }
}

/** The outcome of an operation of which nobody knows whether it took place. */
function unknown({ kind }: SendRecord | ChangeRecord | ReactRecord | StreamRecord | CallRecord) {
  const [outcome, absent] = ['unknown' as const, undefined];
  if (kind === 'call')
    return { outcome, head: absent, description: absent, readSeq: absent, readGeneration: absent, same: absent };
  return kind === 'send' ? { outcome, seq: absent, messageId: absent } : { outcome, seq: absent };
}
