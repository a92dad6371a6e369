import type {
  ChangeRecord,
  ChatRecord,
  HistoryRecord,
  MessageRecord,
  ReactRecord,
  SendRecord,
  StreamRecord,
} from '../history/history-record.ts';
import type { Changes } from './changes.ts';
import { judgeChanges } from './judge-changes.ts';
import { judgeCounts } from './judge-counts.ts';
import { judgeReactions } from './judge-reactions.ts';
import { judgeStreams } from './judge-streams.ts';
import type { Floor, Ledger } from './ledger.ts';
import { checkMembers } from './members.ts';
import type { Reactions } from './reactions.ts';
import type { Attempts, Sends } from './sends.ts';
import type { Streams } from './streams.ts';
import { judgeReferences } from './threads.ts';
import type { Report } from './violation.ts';

interface Case {
  ledger: Ledger;
  /** Absent: the history does not show how the chat began. */
  chat: ChatRecord | undefined;
  sends: Sends;
  changes: Changes;
  reactions: Reactions;
  streams: Streams;
  users: ReadonlySet<string>;
  /** How long a message that is acknowledged before it has a number may wait for the number, in milliseconds. */
  lateMs: number;
  /** When memberships were lost because the database went back; undefined if never. */
  lostAt: number | undefined;
}

/** Judges one chat after the last record: compares what was sent with what the chat has, and the order of both. */
export function judgeChat(one: Case, report: Report): void {
  const { ledger, chat, sends, changes, reactions, streams, users } = one;
  const attempts = sends.ofChat(ledger.chatId);
  if (ledger.audit) judgeAudit(ledger, attempts, changes, report);
  if (ledger.audit) judgeDescriptions(ledger, report);
  // Counts of a database that has gone back are of other messages.
  if (one.lostAt === undefined) judgeCounts(ledger, report);
  judgeOrder({ ledger, attempts, changes, reactions, streams }, report);
  for (const message of ledger.messages.values()) {
    if (message.system || !users.has(message.sender)) continue;
    judgeOrigin(ledger, ledger.versions.get(message.seq) ?? message, sends, report);
    judgeReferences(ledger, message, sends, report);
  }
  judgeChanges(one, report);
  judgeReactions(one, report);
  judgeStreams(one, report);
  if (chat) checkMembers({ ...one, chat }, report);
}

/** Acknowledged messages must be in the chat, messages that were only ever refused must not, and no number may be missing. */
function judgeAudit(ledger: Ledger, attempts: Attempts[], changes: Changes, report: Report): void {
  const { head, missing } = ledger.audit!;
  const acknowledged = attempts.flatMap((one) => one.acknowledged ?? []);
  const atNumber = new Map(acknowledged.map((send) => [placeOf(ledger, send), send]));
  for (const seq of missing) {
    if (lacksNoMessage(ledger, changes, seq)) continue;
    const traces: HistoryRecord[] = [atNumber.get(seq), ledger.messages.get(seq)].filter((one) => one !== undefined);
    report('gap', `the history lacks number ${seq} and ends at ${head}`, traces, ledger.chatId);
  }
  for (const send of acknowledged) {
    if (changes.mayBeHidden(send.messageId!)) continue;
    const found = ledger.findById(send.messageId!);
    const there = found && found.seq <= head && !missing.has(found.seq) && (!send.seq || found.seq === send.seq);
    if (!there) {
      const instead = found ?? (send.seq ? ledger.messages.get(send.seq) : undefined);
      const text = `${send.clientMessageId} was acknowledged as ${send.messageId} at ${send.seq || 'a later number'}`;
      report('lost', text, [send, ...(instead ? [instead] : [])], ledger.chatId);
    }
  }
  for (const { user, clientMessageId, acknowledged: ok, refused, open } of attempts) {
    const found = ok || open || !refused ? undefined : ledger.findBySender(user, clientMessageId);
    if (found) report('refused-but-stored', `${clientMessageId} is at ${found.seq}`, [refused!, found], ledger.chatId);
  }
}

/** The description of a chat is that of its last update. */
function judgeDescriptions(ledger: Ledger, report: Report): void {
  const messages = [...ledger.messages.values()].filter(({ system }) => system?.description !== undefined);
  const updates = messages.sort((a, b) => a.seq - b.seq);
  for (const call of ledger.described) {
    const last = updates.findLast(({ seq }) => seq <= call.head);
    const expected = last?.system?.description ?? '';
    if (call.description === expected || call.head > ledger.audit!.last) continue;
    const text = `the description at ${call.head} was "${expected}", but the answer has "${call.description}"`;
    report('stale', text, [...(last ? [last] : []), call], ledger.chatId);
  }
}

/** Whether pages may lack this number: it is that of a change or of a hidden message. */
export function lacksNoMessage(ledger: Ledger, changes: Changes, seq: number): boolean {
  const message = ledger.messages.get(seq);
  if (message) return changes.mayBeHidden(message.id);
  return ledger.hasNoMessage(seq) || (!ledger.audit && changes.mayHaveMore(ledger.chatId));
}

/**
 * A message must have a greater number than everything that was acknowledged or known before its first attempt began. So must a change, except that a
 * message which was accepted without a number may get its number later: changes do not wait in the ingest log.
 */
function judgeOrder(
  {
    ledger,
    attempts,
    changes,
    reactions,
    streams,
  }: Pick<Case, 'ledger' | 'changes' | 'reactions' | 'streams'> & { attempts: Attempts[] },
  report: Report,
): void {
  const sent: (SendRecord | ChangeRecord | ReactRecord | StreamRecord)[] = attempts.flatMap(
    ({ acknowledged }) => acknowledged ?? [],
  );
  // A deletion may be answered with the number of an earlier one.
  sent.push(...changes.ofChat(ledger.chatId).filter(({ what }) => what === 'edit'));
  sent.push(...reactions.ofChat(ledger.chatId));
  // So may a cancellation: the service cancels idle messages itself. Only the sender completes a message.
  sent.push(...streams.acknowledgedIn(ledger.chatId).filter(({ end }) => end !== 'cancelled'));
  const floors: Floor[] = sent.map((record) => ({ at: record.at, seq: placeOf(ledger, record), record }));
  const known = new Set(ledger.floors);
  floors.push(...known);
  floors.sort((a, b) => a.at - b.at);
  let [next, highest, numbered] = [0, undefined as Floor | undefined, undefined as Floor | undefined];
  for (const record of sent.sort((a, b) => a.firstBegin - b.firstBegin)) {
    for (; next < floors.length && floors[next]!.at < record.firstBegin; next += 1) {
      const floor = floors[next]!;
      if (!highest || floor.seq > highest.seq) highest = floor;
      const isNumbered = !waitsForNumber(floor.record) || known.has(floor);
      if (isNumbered && (!numbered || floor.seq > numbered.seq)) numbered = floor;
    }
    const seq = placeOf(ledger, record);
    const before = waitsForNumber(record) ? highest : numbered;
    if (!before || seq === 0 || seq > before.seq) continue;
    const text = `${nameOf(record)} got ${seq}, but the chat had reached ${before.seq} before it was sent`;
    report('reordered', text, [before.record, record], ledger.chatId);
  }
}

/** Whether it may be acknowledged before it has a number: streamed messages and changes go past the ingest log. */
function waitsForNumber(record: HistoryRecord): boolean {
  return record.kind === 'send' && !record.streamed;
}

function nameOf(record: SendRecord | ChangeRecord | ReactRecord | StreamRecord): string {
  if (record.kind === 'send') return record.clientMessageId;
  if (record.kind === 'stream')
    return record.part ? `part ${record.part} of ${record.messageId}` : `the end of ${record.messageId}`;
  return record.clientChangeId;
}

/** The sender that a message names must have sent it, with this content. */
function judgeOrigin(ledger: Ledger, message: MessageRecord, sends: Sends, report: Report): void {
  const { sender, clientMessageId, text } = message;
  const isOriginal = message.updateSeq === message.seq;
  const sent = sends.find(ledger.chatId, clientMessageId, sender);
  if (!sent) {
    const owner = sends.findOwner(ledger.chatId, clientMessageId);
    const by = owner?.acknowledged ?? owner?.refused;
    if (!owner) report('invented', `${sender} sent nothing as ${clientMessageId}`, [message], ledger.chatId);
    else report('spoken-for', `${owner.user} sent it`, [...(by ? [by] : []), message], ledger.chatId);
  } else if (isOriginal && !message.system && sent.texts.length > 0 && !sent.texts.includes(text)) {
    report(
      'differs',
      'its content is not what was sent',
      [...(sent.acknowledged ? [sent.acknowledged] : []), message],
      ledger.chatId,
    );
  }
}

/** The number of a message, from its acknowledgement or, if that had none, from the message. */
function placeOf(ledger: Ledger, { seq, messageId }: SendRecord | ChangeRecord | ReactRecord | StreamRecord): number {
  return seq || (ledger.findById(messageId!)?.seq ?? 0);
}
