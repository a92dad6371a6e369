import type {
  CloseRecord,
  CoveredRecord,
  GrownRecord,
  HistoryRecord,
  MessageRecord,
  OpenRecord,
  ReactionRecord,
  ResetRecord,
} from '../history/history-record.ts';
import { type Ledger, numberOf } from './ledger.ts';
import { NumberRanges } from './number-ranges.ts';
import { endsMembership } from './system-messages.ts';
import type { Report } from './violation.ts';

type Received = MessageRecord | CoveredRecord | ReactionRecord | GrownRecord;

/** What one reader received of a chat: it must be everything after the number at which it began, each number once and in order. */
export class Reader {
  readonly open: OpenRecord;
  readonly ledger: Ledger;
  /** The numbers that the reader did not receive although it received later ones. */
  readonly missing = new NumberRanges();
  /** The number that the reader must receive next. */
  next: number;
  /** When the reader had caught up; undefined while it reads history. */
  liveSince: number | undefined;
  stalledUntil = Number.NEGATIVE_INFINITY;
  closed: CloseRecord | undefined;
  /** The number of the epoch that the reader's numbers belong to. */
  epoch: number;
  /** Whether the reader received what the database has lost since. */
  hasLost = false;
  last: Received | undefined;
  /** The ends of the reader's own memberships, each with the message that it received next nevertheless. */
  readonly endsOfMembership: { endOfMembership: MessageRecord; next?: MessageRecord }[] = [];
  /** By message id, the newest version that the reader received of a message that was changed. */
  readonly #versions = new Map<string, MessageRecord>();

  constructor(open: OpenRecord, ledger: Ledger, epoch: number) {
    this.open = open;
    this.epoch = epoch;
    this.ledger = ledger;
    this.next = open.afterSeq + 1;
  }

  /** Whether the reader receives what happens while it is open. */
  get isLive(): boolean {
    return this.open.source === 'live' || this.open.source === 'feed';
  }

  /** Whether the reader receives the numbers of changes, too. Others receive messages alone. */
  get getsChanges(): boolean {
    return this.open.source === 'live' || this.open.source === 'changes';
  }

  /** Takes the message that the reader received next. */
  take(record: MessageRecord, report: Report): void {
    const { chatId, user } = this.open;
    const number = numberOf(record);
    this.#move(number, number, record, report);
    if (this.getsChanges) this.#compareVersions(record, report);
    if (this.isLive) {
      const last = this.endsOfMembership.at(-1);
      if (last) last.next ??= record;
      if (endsMembership(record, user)) this.endsOfMembership.push({ endOfMembership: record });
    }
    this.ledger.see(record, (kind, text, records) => report(kind, text, records, chatId));
  }

  takeReaction(record: ReactionRecord, report: Report): void {
    this.#move(record.seq, record.seq, record, report);
    this.ledger.seeReaction(record, report);
  }

  takeGrown(record: GrownRecord, report: Report): void {
    this.#move(record.seq, record.seq, record, report);
    this.ledger.seeGrown(record, report);
  }

  cover(record: CoveredRecord, report: Report): void {
    this.#move(record.from, record.to, record, report);
    this.ledger.cover(record);
  }

  /** Takes what the reader received of an epoch that is over, beyond the numbers up to `valid`: only its order counts. */
  takeLost(record: Received, valid: number, report: Report): void {
    const [from, to] = rangeOf(record);
    this.#move(from, to, record, report);
    this.missing.deleteAfter(valid);
    this.hasLost = true;
  }

  /** Numbers after this one are lost: whether the reader received them says nothing any more. */
  loseAfter(seq: number): void {
    if (this.next - 1 > seq) this.hasLost = true;
    this.missing.deleteAfter(seq);
    // What the reader received after an end may have been due to a new membership, which is lost.
    const kept = this.endsOfMembership.filter(({ endOfMembership, next }) => endOfMembership.seq <= seq && !next);
    this.endsOfMembership.splice(0, Number.POSITIVE_INFINITY, ...kept);
    for (const [id, { updateSeq }] of this.#versions) if (updateSeq > seq) this.#versions.delete(id);
  }

  /** The reader forgets the numbers after the one that `reset` names, and must receive them again. */
  reset({ from, at }: ResetRecord, epoch: number): void {
    this.epoch = epoch;
    if (from < this.next - 1) this.loseAfter(from);
    this.hasLost = false;
    if (from >= this.next - 1) return;
    this.next = from + 1;
    if (this.liveSince !== undefined) this.liveSince = at;
  }

  /** The reader must have everything up to a number. */
  reach(seq: number): void {
    this.missing.add(this.next, seq);
    this.next = Math.max(this.next, seq + 1);
  }

  /** Reports what the reader did not receive, except numbers that `isExcused`. */
  finish(isExcused: (seq: number) => boolean, report: Report, revealed: (seq: number) => HistoryRecord[]): void {
    const { chatId } = this.open;
    for (const seq of this.missing) {
      if (!this.getsChanges && isExcused(seq)) continue;
      const records = [this.open, ...revealed(seq), ...(this.last ? [this.last] : [])];
      report('hole', `number ${seq} was skipped`, records, chatId);
      return;
    }
  }

  #move(from: number, to: number, record: Received, report: Report): void {
    if (from < this.next) this.#takeEarlier(from, record, report);
    else this.missing.add(this.next, from - 1);
    if (to < this.next) return;
    this.next = to + 1;
    this.last = record;
  }

  #takeEarlier(number: number, record: Received, report: Report): void {
    const before = this.last ? [this.last] : [];
    const records = [this.open, ...before, record];
    if (this.missing.delete(number)) {
      report('reordered', `${number} arrived after ${this.next - 1}`, records, this.open.chatId);
    } else
      report('repeated', `${number} arrived again, after everything up to ${this.next - 1}`, records, this.open.chatId);
  }

  #compareVersions(record: MessageRecord, report: Report): void {
    const { id, seq, updateSeq } = record;
    const before = this.#versions.get(id);
    if (before && before.updateSeq > updateSeq) {
      const text = `${seq} in its version ${updateSeq} arrived after its version ${before.updateSeq}`;
      report('version-moved-back', text, [this.open, before, record], this.open.chatId);
    } else if (updateSeq > seq) this.#versions.set(id, record);
  }
}

/** The first and the last number of what was received. */
function rangeOf(record: Received): [number, number] {
  switch (record.kind) {
    case 'message':
      return [numberOf(record), numberOf(record)];
    case 'reaction':
    case 'grown':
      return [record.seq, record.seq];
    case 'covered':
      return [record.from, record.to];
    default:
      return record satisfies never;
  }
}
