import type { HistoryRecord, MessageRecord } from '../history/history-record.ts';
import type { NumberRanges } from './number-ranges.ts';
import type { Report } from './violation.ts';

/** A number that the chat had surely reached at that time. */
export interface Floor {
  at: number;
  seq: number;
  record: HistoryRecord;
}

/** What the history shows of one chat: each message as its first reader received it. */
export class Ledger {
  readonly chatId: string;
  readonly messages = new Map<number, MessageRecord>();
  /** By number, when the message was first received or acknowledged. */
  readonly knownAt = new Map<number, number>();
  /** Numbers that no reader needs to receive any more, because the message was changed later. */
  readonly superseded = new Set<number>();
  readonly floors: Floor[] = [];
  /** The result of reading the whole chat at the end of the run; absent: nobody read it. */
  audit?: { head: number; missing: NumberRanges };
  readonly #byId = new Map<string, MessageRecord>();
  readonly #bySender = new Map<string, MessageRecord>();

  constructor(chatId: string) {
    this.chatId = chatId;
  }

  findById(id: string): MessageRecord | undefined {
    return this.#byId.get(id);
  }

  findBySender(sender: string, clientMessageId: string): MessageRecord | undefined {
    return this.#bySender.get(`${sender} ${clientMessageId}`);
  }

  /** Adds a message that a reader received, and compares it with what other readers received. */
  see(record: MessageRecord, report: Report): void {
    const { seq, id } = record;
    const known = this.messages.get(seq);
    if (known) this.#compare(known, record, report);
    else {
      this.messages.set(seq, record);
      const sameId = this.#byId.get(id);
      if (sameId) report('doubled', `the message ${id} at ${sameId.seq} and ${seq}`, [sameId, record], this.chatId);
      else this.#byId.set(id, record);
      if (record.clientMessageId !== '') this.#seeSender(record, report);
    }
    this.#know(seq, record.at);
    if (record.updateSeq > seq) this.superseded.add(seq);
    this.reached(Math.max(seq, record.updateSeq), record);
  }

  /** The chat had reached this number when the record was made. */
  reached(seq: number, record: HistoryRecord): void {
    const last = this.floors.at(-1);
    if (!last || last.seq < seq) this.floors.push({ at: record.at, seq, record });
  }

  acknowledged(seq: number, record: HistoryRecord): void {
    this.#know(seq, record.at);
    this.reached(seq, record);
  }

  /** The highest number that the chat had surely reached before a time. */
  floorBefore(time: number): Floor | undefined {
    let [low, high] = [0, this.floors.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.floors[middle]!.at < time) low = middle + 1;
      else high = middle;
    }
    return this.floors[low - 1];
  }

  #know(seq: number, at: number): void {
    if (!this.knownAt.has(seq)) this.knownAt.set(seq, at);
  }

  #seeSender(record: MessageRecord, report: Report): void {
    const { sender, clientMessageId, seq } = record;
    const key = `${sender} ${clientMessageId}`;
    const first = this.#bySender.get(key);
    if (first && first.id !== record.id)
      report(
        'doubled',
        `what was sent as ${clientMessageId} is at ${first.seq} and ${seq}`,
        [first, record],
        this.chatId,
      );
    else this.#bySender.set(key, record);
  }

  #compare(known: MessageRecord, record: MessageRecord, report: Report): void {
    if (known.id !== record.id)
      return report('clash', `${record.seq} is ${known.id} and ${record.id}`, [known, record], this.chatId);
    if (known.updateSeq !== record.updateSeq) return this.#replace(known, record);
    if (known.sender !== record.sender) {
      const text = `${record.seq} names ${known.sender} and ${record.sender} as its sender`;
      return report('spoken-for', text, [known, record], this.chatId);
    }
    const same =
      known.clientMessageId === record.clientMessageId &&
      known.text === record.text &&
      JSON.stringify(known.system) === JSON.stringify(record.system);
    if (!same) report('differs', `the message at ${record.seq}`, [known, record], this.chatId);
  }

  /** The newest version counts. */
  #replace(known: MessageRecord, record: MessageRecord): void {
    const [older, newer] = known.updateSeq < record.updateSeq ? [known, record] : [record, known];
    this.superseded.add(older.updateSeq);
    this.messages.set(record.seq, newer);
    this.#byId.set(record.id, newer);
  }
}
