import type { CloseRecord, HistoryRecord, MessageRecord, OpenRecord } from '../history/history-record.ts';
import type { Ledger } from './ledger.ts';
import { NumberRanges } from './number-ranges.ts';
import { endsMembership } from './system-messages.ts';
import type { Report } from './violation.ts';

/** What one reader received of a chat: it must be everything after the number at which it began, each message once and in order. */
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
  last: MessageRecord | undefined;
  /** The ends of the reader's own memberships, each with the message that it received next nevertheless. */
  readonly endsOfMembership: { endOfMembership: MessageRecord; next?: MessageRecord }[] = [];

  constructor(open: OpenRecord, ledger: Ledger) {
    this.open = open;
    this.ledger = ledger;
    this.next = open.afterSeq + 1;
  }

  /** Takes the message that the reader received next. */
  take(record: MessageRecord, report: Report): void {
    const { source, chatId, user } = this.open;
    const position = source === 'live' ? record.updateSeq : record.seq;
    if (position < this.next) this.#takeEarlier(position, record, report);
    else {
      this.missing.add(this.next, position - 1);
      this.next = position + 1;
    }
    if (source === 'live') {
      const last = this.endsOfMembership.at(-1);
      if (last) last.next ??= record;
      if (endsMembership(record, user)) this.endsOfMembership.push({ endOfMembership: record });
    }
    if (position >= this.next - 1) this.last = record;
    this.ledger.see({ ...record }, (kind, text, records) => report(kind, text, records, chatId));
  }

  /** The reader must have everything up to a number. */
  reach(seq: number): void {
    this.missing.add(this.next, seq);
    this.next = Math.max(this.next, seq + 1);
  }

  /** Reports what the reader did not receive. */
  finish(report: Report, revealed: (seq: number) => HistoryRecord[]): void {
    const { source, chatId } = this.open;
    for (const seq of this.missing) {
      if (this.ledger.superseded.has(seq)) continue;
      const kind = source === 'audit' ? 'gap' : 'hole';
      report(
        kind,
        `number ${seq} was skipped`,
        [this.open, ...revealed(seq), ...(this.last ? [this.last] : [])],
        chatId,
      );
      if (source !== 'audit') break;
    }
  }

  #takeEarlier(position: number, record: MessageRecord, report: Report): void {
    const before = this.last ? [this.last] : [];
    const records = [this.open, ...before, record];
    if (this.missing.delete(position)) {
      report('reordered', `${position} arrived after ${this.next - 1}`, records, this.open.chatId);
    } else
      report(
        'repeated',
        `${position} arrived again, after everything up to ${this.next - 1}`,
        records,
        this.open.chatId,
      );
  }
}
