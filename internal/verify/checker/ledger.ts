import type {
  CallRecord,
  ChangeRecord,
  CoveredRecord,
  GrownRecord,
  HistoryRecord,
  MessageRecord,
  ReactionRecord,
  ReactRecord,
  SendRecord,
  StreamRecord,
} from '../history/history-record.ts';
import type { NumberRanges } from './number-ranges.ts';
import { keyOf } from './reactions.ts';
import type { Report } from './violation.ts';

/** A number that the chat had surely reached at that time. */
export interface Floor {
  at: number;
  seq: number;
  record: HistoryRecord;
}

/** The number under which a reader received a message. */
export function numberOf({ changed, seq, updateSeq }: MessageRecord): number {
  return changed ? updateSeq : seq;
}

/** What the history shows of one chat: each version of each message as its first reader received it. */
export class Ledger {
  readonly chatId: string;
  /** By `seq`, the newest version of each message that a reader received. */
  readonly messages = new Map<number, MessageRecord>();
  /** By `updateSeq`, every version that a reader received. */
  readonly versions = new Map<number, MessageRecord>();
  /** By number, the changes that are known, with the ids of their messages. */
  readonly changes = new Map<number, { messageId: string; record: HistoryRecord }>();
  /** By number, the first reader that received it as covered. */
  readonly covered = new Map<number, CoveredRecord>();
  /** By number, when the message or change was first received or acknowledged. */
  readonly knownAt = new Map<number, number>();
  /** By number, the first reader's reaction. */
  readonly reactions = new Map<number, ReactionRecord>();
  /** By message id, how many users have reacted, as the reading of the whole chat at the end of the run shows it. */
  readonly counts = new Map<string, Readonly<Record<string, number>>>();
  readonly floors: Floor[] = [];
  /** Answers that had the chat's description, with the chat's last number at that time. */
  readonly described: (CallRecord & { head: number; description: string })[] = [];
  /** Answers with counts, from the end of the run. */
  readonly counted: CallRecord[] = [];
  /** By message id, the first acknowledgement that it is deleted. */
  readonly deletions = new Map<string, ChangeRecord>();
  /** Whether the database has lost the chat: nobody can read it any more. */
  isLost = false;
  /** The number at which the last reading of all changes ended. */
  lastOfChanges = 0;
  /**
   * The result of reading the whole chat at the end of the run: its last message, its last number, and the numbers without a message. Absent: nobody
   * read it.
   */
  audit?: { head: number; last: number; missing: NumberRanges };
  /** By message id, when each change of it was known. */
  readonly #versionFloors = new Map<string, Floor[]>();
  /** By message id, the numbers of its changes. */
  readonly #versionsOf = new Map<string, number[]>();
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

  /** The known changes of a message, by number. */
  changesOf(messageId: string): { number: number; record: HistoryRecord }[] {
    return (this.#versionsOf.get(messageId) ?? []).map((number) => ({
      number,
      record: this.changes.get(number)!.record,
    }));
  }

  /** Whether the number is known to belong to a change or to a hidden message that nobody received. */
  hasNoMessage(seq: number): boolean {
    return !this.messages.has(seq) && (this.changes.has(seq) || this.covered.has(seq));
  }

  /** Whether the reading of the whole chat at the end contains the message. */
  isRead(seq: number): boolean {
    return this.audit !== undefined && seq <= this.audit.head && !this.audit.missing.has(seq);
  }

  /** Adds a message that a reader received, and compares it with what other readers received. */
  see(record: MessageRecord, report: Report): void {
    const { seq, updateSeq, id, at } = record;
    const known = this.messages.get(seq);
    if (known && known.id !== id) report('clash', `${seq} is ${known.id} and ${id}`, [known, record], this.chatId);
    else if (known) this.#compare(known, record, report);
    else this.#add(record, report);
    const version = this.versions.get(updateSeq);
    if (!version) this.versions.set(updateSeq, record);
    else if (version.id === id) this.#compareContents(version, record, report);
    if (updateSeq > seq) this.#noteChange(updateSeq, id, record, report);
    this.#know(seq, at);
    this.#know(updateSeq, at);
    this.reached(updateSeq, record);
  }

  /** Adds a reaction that a reader received, and compares it with what other readers received. */
  seeReaction(record: ReactionRecord, report: Report): void {
    const { seq, at } = record;
    const known = this.reactions.get(seq);
    if (!known) this.reactions.set(seq, record);
    else if (keyOf(known) !== keyOf(record) || known.added !== record.added)
      report('differs', `the reaction at ${seq}`, [known, record], this.chatId);
    this.#noteNumber(seq, record.messageId, record, report);
    this.#know(seq, at);
    this.reached(seq, record);
  }

  acknowledgedReaction(record: ReactRecord, report: Report): void {
    const { seq, messageId, at } = record;
    if (!seq) return;
    this.#noteNumber(seq, messageId, record, report);
    this.#know(seq, at);
    this.reached(seq, record);
  }

  /** Adds that a reader received a part of a message. */
  seeGrown(record: GrownRecord, report: Report): void {
    const { seq, id, at } = record;
    this.#know(seq, at);
    this.reached(seq, record);
    this.#noteChange(seq, id, record, report);
  }

  acknowledgedStream(record: StreamRecord, report: Report): void {
    const { seq, messageId, at } = record;
    if (!seq) return;
    this.#know(seq, at);
    this.reached(seq, record);
    this.#noteChange(seq, messageId, record, report);
  }

  cover(record: CoveredRecord): void {
    for (let seq = record.from; seq <= record.to; seq += 1) if (!this.covered.has(seq)) this.covered.set(seq, record);
    this.reached(record.to, record);
  }

  /** The chat had reached this number when the record was made. */
  reached(seq: number, record: HistoryRecord): void {
    const last = this.floors.at(-1);
    if (!last || last.seq < seq) this.floors.push({ at: record.at, seq, record });
  }

  acknowledged(seq: number, record: SendRecord): void {
    this.#know(seq, record.at);
    this.reached(seq, record);
  }

  acknowledgedChange(record: ChangeRecord, report: Report): void {
    const { seq = 0, messageId, what, at } = record;
    this.#know(seq, at);
    this.reached(seq, record);
    this.#noteChange(seq, messageId, record, report);
    if (what === 'delete' && !this.deletions.has(messageId)) this.deletions.set(messageId, record);
  }

  /** Forgets everything that the database has lost: the numbers after this one, and what was covered by them. */
  loseAfter(last: number): void {
    for (const [seq, version] of this.versions) if (version.updateSeq > last) this.versions.delete(seq);
    this.messages.clear();
    this.#byId.clear();
    this.#bySender.clear();
    for (const version of this.versions.values()) this.#restore(version);
    for (const numbers of [this.changes, this.knownAt, this.reactions])
      for (const seq of numbers.keys()) if (seq > last) numbers.delete(seq);
    // A change that is lost may have covered any number.
    this.covered.clear();
    for (const [id, { seq = 0 }] of this.deletions) if (seq > last) this.deletions.delete(id);
    for (const floors of [this.floors, ...this.#versionFloors.values()]) keep(floors, ({ seq }) => seq <= last);
    for (const numbers of this.#versionsOf.values()) keep(numbers, (number) => number <= last);
    keep(this.described, ({ head }) => head <= last);
    this.lastOfChanges = Math.min(this.lastOfChanges, last);
  }

  /** The highest number that the chat had surely reached before a time. */
  floorBefore(time: number): Floor | undefined {
    return floorBefore(this.floors, time);
  }

  /** The highest version of a message that was surely known before a time; undefined if no change of it was known. */
  versionBefore(messageId: string, time: number): Floor | undefined {
    return floorBefore(this.#versionFloors.get(messageId) ?? [], time);
  }

  /** Adds a version of a message again. */
  #restore(version: MessageRecord): void {
    const { seq, id, sender, clientMessageId, updateSeq } = version;
    if ((this.messages.get(seq)?.updateSeq ?? 0) >= updateSeq) return;
    this.messages.set(seq, version);
    this.#byId.set(id, version);
    if (clientMessageId !== '') this.#bySender.set(`${sender} ${clientMessageId}`, version);
  }

  #know(seq: number, at: number): void {
    if (!this.knownAt.has(seq)) this.knownAt.set(seq, at);
  }

  #add(record: MessageRecord, report: Report): void {
    const { seq, id } = record;
    this.messages.set(seq, record);
    const change = this.changes.get(seq);
    if (change)
      report('clash', `${seq} is ${id} and a change of ${change.messageId}`, [change.record, record], this.chatId);
    const sameId = this.#byId.get(id);
    if (sameId) report('doubled', `the message ${id} at ${sameId.seq} and ${seq}`, [sameId, record], this.chatId);
    else this.#byId.set(id, record);
    if (record.clientMessageId !== '') this.#seeSender(record, report);
  }

  /** Notes a change that makes a version of its message. */
  #noteChange(seq: number, messageId: string, record: HistoryRecord, report: Report): void {
    if (this.#noteNumber(seq, messageId, record, report)) {
      const numbers = this.#versionsOf.get(messageId);
      if (numbers) numbers.push(seq);
      else this.#versionsOf.set(messageId, [seq]);
    }
    const floors = this.#versionFloors.get(messageId) ?? [];
    this.#versionFloors.set(messageId, floors);
    if ((floors.at(-1)?.seq ?? 0) < seq) floors.push({ at: record.at, seq, record });
  }

  /** Notes that the number is that of a change about the message. Returns whether that is new. */
  #noteNumber(seq: number, messageId: string, record: HistoryRecord, report: Report): boolean {
    const known = this.changes.get(seq);
    const message = this.messages.get(seq);
    if (known && known.messageId !== messageId) {
      const text = `${seq} is a change of ${known.messageId} and one of ${messageId}`;
      report('clash', text, [known.record, record], this.chatId);
    } else if (!known && message) {
      report('clash', `${seq} is ${message.id} and a change of ${messageId}`, [message, record], this.chatId);
    }
    if (!known) this.changes.set(seq, { messageId, record });
    return !known;
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
    if (known.sender !== record.sender) {
      const text = `${record.seq} names ${known.sender} and ${record.sender} as its sender`;
      report('spoken-for', text, [known, record], this.chatId);
    }
    if (record.updateSeq <= known.updateSeq) return;
    // The newest version counts.
    this.messages.set(record.seq, record);
    this.#byId.set(record.id, record);
  }

  /** Two readers must have received the same contents of one version. */
  #compareContents(known: MessageRecord, record: MessageRecord, report: Report): void {
    const same =
      known.clientMessageId === record.clientMessageId &&
      known.text === record.text &&
      known.deleted === record.deleted &&
      JSON.stringify(known.system) === JSON.stringify(record.system) &&
      JSON.stringify(known.replyTo) === JSON.stringify(record.replyTo) &&
      known.root === record.root;
    if (!same)
      report(
        'differs',
        `the message at ${record.seq} in its version ${record.updateSeq}`,
        [known, record],
        this.chatId,
      );
  }
}

function floorBefore(floors: readonly Floor[], time: number): Floor | undefined {
  let [low, high] = [0, floors.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (floors[middle]!.at < time) low = middle + 1;
    else high = middle;
  }
  return floors[low - 1];
}

/** Removes the items that are not to be kept. */
function keep<T>(items: T[], isKept: (item: T) => boolean): void {
  items.splice(0, Number.POSITIVE_INFINITY, ...items.filter(isKept));
}
