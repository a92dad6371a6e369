import type {
  CallRecord,
  ChangeRecord,
  ChatRecord,
  CoveredRecord,
  EpochRecord,
  FaultRecord,
  GrownRecord,
  HistoryRecord,
  MessageRecord,
  OpenRecord,
  ReachedRecord,
  ReactionRecord,
  ReactRecord,
  ResetRecord,
  RunRecord,
  SendRecord,
  StreamRecord,
  ThreadRecord,
} from '../history/history-record.ts';
import { Changes } from './changes.ts';
import { Epochs } from './epochs.ts';
import { Findings } from './findings.ts';
import { judgeChat, lacksNoMessage } from './judge-chat.ts';
import { type Floor, Ledger, numberOf } from './ledger.ts';
import { Reactions } from './reactions.ts';
import { Reader } from './reader.ts';
import { Rights } from './rights.ts';
import { Sends } from './sends.ts';
import { Streams } from './streams.ts';
import { beginsMembership } from './system-messages.ts';
import { Tally } from './tally.ts';
import { judgeCounts, judgeListed } from './threads.ts';
import type { Verdict } from './verdict.ts';

/** The right to read a chat and to act in it. */
export function membership(chatId: string, user: string): string {
  return `member ${chatId} ${user}`;
}

/** The right to use the service at all. */
export function serviceUse(user: string): string {
  return `allowed service ${user}`;
}

/** The right to become a member of a chat. */
export function admission(chatId: string, user: string): string {
  return `allowed ${chatId} ${user}`;
}

/** Judges a history, record by record, in order. Memory: one copy of each message, however many readers received it. */
export class Checker {
  readonly #findings = new Findings();
  readonly #tally = new Tally();
  readonly #sends = new Sends();
  readonly #changes = new Changes();
  readonly #reactions = new Reactions();
  readonly #streams = new Streams();
  readonly #rights = new Rights();
  readonly #epochs = new Epochs();
  readonly #ledgers = new Map<string, Ledger>();
  readonly #chats = new Map<string, ChatRecord>();
  readonly #readers = new Map<string, Reader>();
  /** Readers that ended and can be judged only after the last record. */
  readonly #ended: Reader[] = [];
  readonly #users = new Set<string>();
  readonly #things = new Map<string, CallRecord>();
  readonly #marks = new Map<string, CallRecord>();
  readonly #moved: { right: string; records: HistoryRecord[]; chatId?: string }[] = [];
  readonly #faults: (FaultRecord | EpochRecord)[] = [];
  /** Pages that ended before a number that the chat had reached. */
  #short: { reader: Reader; record: ReachedRecord; floor: Floor }[] = [];
  /** Threads that clients have read in the present epoch. */
  #threads: { record: ThreadRecord; ledger: Ledger }[] = [];
  #run: Pick<RunRecord, 'bounds' | 'faultsExpected'> = {
    faultsExpected: false,
    bounds: { deliveryMs: 10_000, revocationMs: 1_000 },
  };

  add(record: HistoryRecord): void {
    this.#tally.add(record);
    switch (record.kind) {
      case 'run':
        this.#run = record;
        return;
      case 'chat':
        if (!this.#chats.has(record.chatId)) this.#chats.set(record.chatId, record);
        for (const user of Object.keys(record.members ?? {}))
          this.#rights.grant(membership(record.chatId, user), record, record.begin);
        return;
      case 'send':
        // Also if the database that has answered is no more: what is written next may be in the one after it.
        this.#streams.begin(record);
        return this.#send(this.#epochs.judge(record));
      case 'change':
        return this.#change(this.#epochs.judge(record));
      case 'react':
        return this.#react(this.#epochs.judge(record));
      case 'stream':
        return this.#stream(this.#epochs.judge(record));
      case 'call':
        return this.#call(this.#epochs.judge(record));
      case 'open':
        return this.#open(record);
      case 'message':
        return this.#message(record);
      case 'covered':
        return this.#covered(record);
      case 'reaction':
        return this.#reaction(record);
      case 'grown':
        return this.#grown(record);
      case 'reset':
        return this.#reset(record);
      case 'epoch':
        return this.#epoch(record);
      case 'reached':
        return this.#reached(record);
      case 'stall': {
        const reader = this.#readers.get(record.reader);
        if (reader) reader.stalledUntil = record.at;
        return;
      }
      case 'close': {
        const reader = this.#readers.get(record.reader);
        if (!reader) return;
        reader.closed = record;
        this.#readers.delete(record.reader);
        const isSound = record.why === 'client' && reader.missing.isEmpty && reader.endsOfMembership.length === 0;
        if (!isSound) this.#ended.push(reader);
        return;
      }
      case 'fault':
        this.#faults.push(record);
        return;
      case 'resumed':
        return;
      case 'thread':
        return this.#thread(record);
      default:
        record satisfies never;
    }
  }

  finish(): Verdict {
    const report = this.#findings.report;
    for (const reader of this.#readers.values()) this.#ended.push(reader);
    const { deliveryMs: lateMs } = this.#run.bounds;
    for (const ledger of this.#ledgers.values()) {
      const chat = this.#chats.get(ledger.chatId);
      const users = this.#users;
      const lostAt = this.#epochs.lastAt;
      const made = { sends: this.#sends, changes: this.#changes, reactions: this.#reactions, streams: this.#streams };
      judgeChat({ ledger, chat, ...made, users, lateMs, lostAt }, report);
    }
    this.#sends.finish(this.#changes, report);
    this.#changes.finish(report);
    for (const page of this.#short) this.#judgeShort(page);
    for (const { record, ledger } of this.#threads) judgeListed(record, ledger, this.#changes, report);
    for (const reader of this.#ended) this.#judgeReader(reader);
    this.#rights.finish((right) => !right.startsWith('member ') || this.#chats.has(right.split(' ')[1]!), report);
    for (const { right, records, chatId } of this.#moved)
      if (!this.#rights.wasWithdrawn(right))
        report('mark-moved-back', 'the second call began after the first had ended', records, chatId);
    const audited = [...this.#ledgers.values()].filter(({ audit }) => audit).length;
    return this.#findings.verdict({
      ...this.#tally.figures(),
      chats: this.#ledgers.size,
      audited,
      unread: [...this.#ledgers.values()].filter((ledger) => this.#isUnread(ledger)).length,
      acknowledged: this.#sends.acknowledged,
      changed: this.#changes.acknowledged + this.#reactions.acknowledged + this.#streams.acknowledged,
      unknown: this.#sends.unknown,
    });
  }

  /** Whether nobody read the chat at the end although a user with acknowledged messages in it had the right to. */
  #isUnread({ audit, chatId, isLost }: Ledger): boolean {
    const stays = (user: string) =>
      !this.#rights.wasWithdrawn(membership(chatId, user)) && !this.#rights.wasWithdrawn(serviceUse(user));
    return (
      !audit && !isLost && this.#sends.ofChat(chatId).some(({ acknowledged, user }) => acknowledged && stays(user))
    );
  }

  #ledger(chatId: string): Ledger {
    const ledger = this.#ledgers.get(chatId) ?? new Ledger(chatId);
    this.#ledgers.set(chatId, ledger);
    return ledger;
  }

  #send(record: SendRecord): void {
    this.#users.add(record.user);
    this.#sends.add(record, this.#findings.report);
    const right = membership(record.chatId, record.user);
    const ledger = this.#ledger(record.chatId);
    this.#useService(record);
    if (record.outcome === 'ok') {
      if (record.seq) ledger.acknowledged(record.seq, record);
    } else if (record.reason === 'NOT_A_MEMBER' || record.reason === 'CHAT_NOT_FOUND')
      this.#rights.denied(right, record, record.begin);
  }

  #change(record: ChangeRecord): void {
    this.#users.add(record.user);
    this.#changes.add(record, this.#findings.report);
    this.#useService(record);
    if (record.outcome === 'ok') this.#ledger(record.chatId).acknowledgedChange(record, this.#findings.report);
    else if (record.reason === 'NOT_A_MEMBER' || record.reason === 'CHAT_NOT_FOUND')
      this.#rights.denied(membership(record.chatId, record.user), record, record.begin);
  }

  #react(record: ReactRecord): void {
    this.#users.add(record.user);
    this.#reactions.add(record, this.#findings.report);
    this.#useService(record);
    if (record.outcome === 'ok') this.#ledger(record.chatId).acknowledgedReaction(record, this.#findings.report);
    else if (record.reason === 'NOT_A_MEMBER' || record.reason === 'CHAT_NOT_FOUND')
      this.#rights.denied(membership(record.chatId, record.user), record, record.begin);
  }

  #stream(record: StreamRecord): void {
    this.#users.add(record.user);
    this.#streams.add(record);
    this.#useService(record);
    if (record.outcome === 'ok') this.#ledger(record.chatId).acknowledgedStream(record, this.#findings.report);
    else if (record.reason === 'NOT_A_MEMBER' || record.reason === 'CHAT_NOT_FOUND')
      this.#rights.denied(membership(record.chatId, record.user), record, record.begin);
  }

  #call(record: CallRecord): void {
    this.#users.add(record.user);
    this.#useService(record);
    for (const { kind, right } of record.effects) {
      if (kind === 'grant') this.#rights.grant(right, record, record.begin, record.outcome);
      else if (kind === 'withdraw') this.#rights.withdraw(right, record, record.begin, record.outcome);
      else if (kind === 'denied') this.#rights.denied(right, record, record.begin);
      else if (record.outcome === 'ok')
        this.#rights.use({ right, begin: record.begin, end: record.at, record, graceMs: 0 });
    }
    if (record.outcome !== 'ok') return;
    if (record.chatId && record.head !== undefined) this.#ledger(record.chatId).reached(record.head, record);
    const { chatId, head, description } = record;
    if (chatId && head !== undefined && description !== undefined)
      this.#ledger(chatId).described.push({ ...record, head, description });
    if (chatId && record.counts) this.#ledger(chatId).counted.push(record);
    if (record.same) this.#compare(record, record.same);
    if (record.chatId && record.readSeq !== undefined) this.#mark(record, record.chatId);
  }

  /** A user who is banned from the service may do nothing once `revocationMs` have passed. */
  #useService(record: CallRecord | SendRecord | ChangeRecord | ReactRecord | StreamRecord): void {
    if (record.outcome !== 'ok') return;
    const { begin, at, user } = record;
    const graceMs = this.#run.bounds.revocationMs;
    this.#rights.use({ right: serviceUse(user), begin, end: at, record, graceMs });
  }

  #compare(record: CallRecord, { thing, is }: { thing: string; is: string }): void {
    const before = this.#things.get(thing);
    if (before && before.same!.is !== is) this.#findings.report('two-of-one', thing, [before, record]);
    else this.#things.set(thing, record);
  }

  /** A mark never moves back within one generation, and the generation never falls while the user is a member. */
  #mark(record: CallRecord, chatId: string): void {
    const right = membership(chatId, record.user);
    const before = this.#marks.get(right);
    const order = before ? compareMarks(before, record) : 0;
    if (before && before.at < record.begin && order > 0) this.#moved.push({ right, records: [before, record], chatId });
    if (!before || order <= 0) this.#marks.set(right, record);
  }

  #open(record: OpenRecord): void {
    this.#users.add(record.user);
    const epoch = this.#epochs.ofReader(record);
    this.#readers.set(record.reader, new Reader(record, this.#ledger(record.chatId), epoch));
  }

  #message(record: MessageRecord): void {
    const reader = this.#readers.get(record.reader);
    if (!reader) return;
    const valid = this.#epochs.validThrough(reader.open.chatId, reader.epoch);
    if (valid !== undefined && record.updateSeq > valid) return reader.takeLost(record, valid, this.#findings.report);
    const { begin, chatId, user } = reader.open;
    const knownAt = reader.ledger.knownAt.get(numberOf(record)) ?? record.at;
    reader.take(record, this.#findings.report);
    const live = reader.isLive;
    if (reader.open.source === 'audit') reader.ledger.counts.set(record.id, record.reactions ?? {});
    this.#judgeVersion(reader, record);
    // A client that had stopped reading finds messages in its buffers; their arrival says nothing about when the service sent them.
    const graceMs = !live
      ? 0
      : this.#isDisturbed(reader, record.at)
        ? Number.POSITIVE_INFINITY
        : this.#run.bounds.revocationMs;
    const right = membership(chatId, user);
    this.#rights.use({ right, begin: live ? record.at : begin, end: record.at, record, graceMs });
    if (live) this.#rights.use({ right: serviceUse(user), begin: record.at, end: record.at, record, graceMs });
    if (live && reader.liveSince !== undefined) this.#delay(reader, record, Math.max(knownAt, reader.liveSince));
  }

  #delay(reader: Reader, record: MessageRecord, since: number): void {
    if (reader.stalledUntil >= since) return;
    const delayMs = record.at - since;
    this.#tally.delayed(delayMs);
    if (delayMs <= this.#run.bounds.deliveryMs || this.#isDisturbed(reader, since)) return;
    const known = reader.ledger.messages.get(record.seq)!;
    this.#findings.report('late', `${Math.round(delayMs)} ms`, [known, record], reader.open.chatId);
  }

  #reaction(record: ReactionRecord): void {
    const reader = this.#readers.get(record.reader);
    if (!reader) return;
    const valid = this.#epochs.validThrough(reader.open.chatId, reader.epoch);
    if (valid === undefined || record.seq <= valid) reader.takeReaction(record, this.#findings.report);
    else reader.takeLost(record, valid, this.#findings.report);
  }

  #grown(record: GrownRecord): void {
    const reader = this.#readers.get(record.reader);
    if (!reader) return;
    const valid = this.#epochs.validThrough(reader.open.chatId, reader.epoch);
    if (valid === undefined || record.seq <= valid) reader.takeGrown(record, this.#findings.report);
    else reader.takeLost(record, valid, this.#findings.report);
  }

  #covered(record: CoveredRecord): void {
    const reader = this.#readers.get(record.reader);
    if (!reader) return;
    const valid = this.#epochs.validThrough(reader.open.chatId, reader.epoch);
    // What is covered in an epoch that is over may be covered by what is lost.
    if (valid === undefined) reader.cover(record, this.#findings.report);
    else reader.takeLost(record, valid, this.#findings.report);
  }

  #thread(record: ThreadRecord): void {
    judgeCounts(record, this.#findings.report);
    this.#threads.push({ record, ledger: this.#ledger(record.chatId) });
  }

  #reset(record: ResetRecord): void {
    const reader = this.#readers.get(record.reader);
    if (!reader) return;
    const { open, epoch } = reader;
    const valid = this.#epochs.validThrough(open.chatId, epoch);
    if (valid !== undefined && record.from > valid && reader.next > valid + 1) {
      const text = `the reader was led back to ${record.from}, but only the numbers up to ${valid} are the same`;
      this.#findings.report('hole', text, [open, record], open.chatId);
    }
    reader.reset(record, Math.max(epoch, this.#epochs.find(record.epoch)));
  }

  /** The database has gone back: what it has lost is judged no more, and what comes is judged as if it had never been. */
  #epoch(record: EpochRecord): void {
    this.#epochs.add(record);
    this.#faults.push(record);
    for (const page of this.#short) this.#judgeShort(page);
    this.#short = [];
    this.#threads = [];
    const validOf = (chatId: string) => record.chats[chatId] ?? 0;
    for (const ledger of this.#ledgers.values()) {
      ledger.loseAfter(validOf(ledger.chatId));
      ledger.isLost ||= !(ledger.chatId in record.chats);
    }
    this.#sends.lose(({ chatId, seq, messageId }) => {
      const place = seq || this.#ledger(chatId).findById(messageId!)?.seq;
      return place !== undefined && place <= validOf(chatId);
    });
    this.#changes.lose(({ chatId, seq = 0 }) => seq <= validOf(chatId));
    this.#streams.lose(({ chatId, seq = 0 }) => seq <= validOf(chatId));
    this.#reactions.lose(({ chatId, seq = 0 }) => seq <= validOf(chatId));
    for (const reader of [...this.#readers.values(), ...this.#ended]) reader.loseAfter(validOf(reader.open.chatId));
    this.#rights.lose(record, record.begin);
    for (const chatId of this.#chats.keys()) if (!(chatId in record.chats)) this.#chats.delete(chatId);
    this.#things.clear();
    this.#marks.clear();
  }

  /** Reads must show the changes that were known before they began. A deleted text may be under way to a live reader for a while. */
  #judgeVersion(reader: Reader, record: MessageRecord): void {
    const { ledger, open } = reader;
    const { report } = this.#findings;
    const isPage = open.source === 'page' || open.source === 'audit';
    const deletion = record.text === '' ? undefined : ledger.deletions.get(record.id);
    const isSeen =
      deletion &&
      (isPage
        ? deletion.at < open.begin
        : deletion.at + this.#run.bounds.deliveryMs < record.at && !this.#isDisturbed(reader, deletion.at));
    if (isSeen) {
      const text = `${Math.round((isPage ? open.begin : record.at) - deletion.at)} ms after the acknowledgement`;
      report('deleted-seen', text, [deletion, open, record], open.chatId);
      return;
    }
    const floor = isPage ? ledger.versionBefore(record.id, open.begin) : undefined;
    if (floor && floor.seq > record.updateSeq) {
      const text = `the message at ${record.seq} had its version ${floor.seq}, but the answer has ${record.updateSeq}`;
      report('stale', text, [floor.record, open, record], open.chatId);
    }
  }

  /** Whether a fault was active, or the reader had stopped reading, at that time or shortly before. */
  #isDisturbed(reader: Reader, at: number): boolean {
    const settleMs = this.#run.bounds.deliveryMs;
    if (reader.stalledUntil + settleMs > at) return true;
    return this.#faults.slice(-100).some((fault) => fault.begin <= at && at < endOf(fault) + settleMs);
  }

  #reached(record: ReachedRecord): void {
    const reader = this.#readers.get(record.reader);
    if (!reader) return;
    const { ledger, open } = reader;
    // It may be the end of an epoch that is over.
    if (reader.epoch < this.#epochs.present) return;
    reader.reach(record.seq);
    if (open.source === 'live') reader.liveSince = record.at;
    if (open.source === 'changes') ledger.lastOfChanges = record.seq;
    if (open.source === 'audit') {
      const last = Math.max(record.seq, ledger.lastOfChanges);
      ledger.audit = { head: record.seq, last, missing: reader.missing };
    }
    // A message may be under way between nodes for a while; reads of the history must be up to date.
    const allowedMs = reader.getsChanges ? this.#run.bounds.deliveryMs : 0;
    const floor = record.complete ? ledger.floorBefore(record.begin - allowedMs) : undefined;
    if (floor && floor.seq > record.seq) this.#short.push({ reader, record, floor });
    // A page without messages may have been asked for after a number that the chat has not reached.
    if (reader.last || reader.getsChanges) ledger.reached(record.seq, record);
  }

  /** A page may end before numbers that are those of changes or hidden messages. */
  #judgeShort({ reader, record, floor }: { reader: Reader; record: ReachedRecord; floor: Floor }): void {
    const { ledger, open } = reader;
    let lacking = record.seq + 1;
    if (!reader.getsChanges)
      while (lacking <= floor.seq && lacksNoMessage(ledger, this.#changes, lacking)) lacking += 1;
    if (lacking > floor.seq) return;
    const text = `the chat had reached ${floor.seq}, but the answer ended at ${record.seq}`;
    this.#findings.report('stale', text, [floor.record, open, record], open.chatId);
  }

  #judgeReader(reader: Reader): void {
    const { ledger, open, closed } = reader;
    const report = this.#findings.report;
    const seen = (seq: number) => (ledger.messages.has(seq) ? [ledger.messages.get(seq)!] : []);
    if (open.source !== 'audit') reader.finish((seq) => lacksNoMessage(ledger, this.#changes, seq), report, seen);
    if (closed?.why === 'lost' && !this.#run.faultsExpected)
      report('cut-off', closed.detail ?? '', [open, closed], open.chatId);
    const head = ledger.audit?.last ?? ledger.floors.at(-1)?.seq ?? 0;
    // A chat that nobody can read at the end has ended for its readers, too.
    if (closed?.why === 'end' && this.#lacksTheEnd(reader)) {
      const text = `it received everything up to ${reader.next - 1}, but the chat had reached ${head}`;
      report('silent', text, [open, ...seen(reader.next), closed], open.chatId);
    }
    if (closed?.why === 'end' && this.#lacksReset(reader)) {
      const valid = this.#epochs.validThrough(open.chatId, reader.epoch);
      const text = `it was never told that the database went back to ${valid}`;
      report('silent', text, [open, ...(reader.last ? [reader.last] : []), closed], open.chatId);
    }
    for (const { endOfMembership, next } of reader.endsOfMembership) {
      if (next && !this.#comesBack(ledger, open.user, endOfMembership.seq, head))
        report(
          'leaked',
          `the membership of ${open.user} ended at ${endOfMembership.seq}`,
          [open, endOfMembership, next],
          open.chatId,
        );
    }
  }

  /** Whether a live reader did not receive the last number of a chat that was read at the end, or the last message. */
  #lacksTheEnd({ isLive, getsChanges, ledger, next }: Reader): boolean {
    const { audit } = ledger;
    if (!isLive || !audit) return false;
    if (getsChanges) return next <= audit.last;
    for (let seq = next; seq <= audit.head; seq += 1)
      if (ledger.messages.has(seq) && !audit.missing.has(seq)) return true;
    return false;
  }

  /** Whether a reader is still open that belongs to an epoch that is over. A feed of the SDK that has returned nothing since need not know it. */
  #lacksReset(reader: Reader): boolean {
    const { isLive, getsChanges, ledger, epoch, hasLost } = reader;
    return isLive && ledger.audit !== undefined && epoch !== this.#epochs.present && (getsChanges || hasLost);
  }

  /** Whether the user became a member again at a later number. */
  #comesBack(ledger: Ledger, user: string, afterSeq: number, head: number): boolean {
    for (let seq = afterSeq + 1; seq <= head; seq += 1) {
      if (ledger.hasNoMessage(seq)) continue;
      const message = ledger.messages.get(seq);
      // The message with this number is unknown: it may have made the user a member.
      if (!message) return true;
      if (beginsMembership(message, user)) return true;
    }
    return false;
  }
}

function endOf(fault: FaultRecord | EpochRecord): number {
  return fault.kind === 'fault' ? (fault.until ?? fault.at) : fault.at;
}

/** Judges a whole history. */
export function check(records: Iterable<HistoryRecord>): Verdict {
  const checker = new Checker();
  for (const record of records) checker.add(record);
  return checker.finish();
}

/** Returns a positive number if the mark of `one` is newer than that of `other`. */
function compareMarks(one: CallRecord, other: CallRecord): number {
  const generations = (one.readGeneration ?? 0) - (other.readGeneration ?? 0);
  return generations || (one.readSeq ?? 0) - (other.readSeq ?? 0);
}
