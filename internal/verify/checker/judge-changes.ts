import type { ChangeRecord, MessageRecord } from '../history/history-record.ts';
import type { Changes } from './changes.ts';
import type { Ledger } from './ledger.ts';
import type { Streams } from './streams.ts';
import type { Report } from './violation.ts';

interface Case {
  streams: Streams;
  ledger: Ledger;
  changes: Changes;
  users: ReadonlySet<string>;
}

/** Judges the edits and deletions of one chat after the last record. */
export function judgeChanges({ ledger, changes, streams, users }: Case, report: Report): void {
  for (const change of changes.ofChat(ledger.chatId)) {
    judgeEffect(ledger, changes, change, report);
    judgeCondition(ledger, change, report);
  }
  for (const version of ledger.versions.values())
    if (
      version.updateSeq > version.seq &&
      users.has(version.sender) &&
      !isGrowth(ledger.chatId, streams, changes, version)
    )
      judgeOrigin(ledger, changes, version, report);
  judgeCovered(ledger, changes, report);
}

/** Whether the version is one of a streamed message while it grew, or at its end. */
function isGrowth(chatId: string, streams: Streams, changes: Changes, version: MessageRecord): boolean {
  const { id, text, deleted } = version;
  // Nobody wrote on after a beginning without an answer: the service ends the message.
  if (streams.textOf(id) === undefined && !deleted && streams.startOf(chatId, version) === text) return true;
  const isStreamed = streams.textOf(id) !== undefined;
  return isStreamed && !deleted && (changes.ofMessage(id).length === 0 || streams.explains(id, text));
}

/** An acknowledged change must be the final version of its message, or an earlier one; a deletion is final. */
function judgeEffect(ledger: Ledger, changes: Changes, change: ChangeRecord, report: Report): void {
  const { seq = 0, messageId, what, text, clientChangeId } = change;
  const version = ledger.versions.get(seq);
  const final = ledger.findById(messageId);
  const isOther = what === 'edit' && version?.id === messageId && version.text !== text;
  const tell = (why: string, message: MessageRecord) =>
    report(
      'lost-change',
      `'${clientChangeId}' was acknowledged at ${seq}, but ${why}`,
      [change, message],
      ledger.chatId,
    );
  if (isOther) return tell(`the version ${seq} has another text`, version);
  if (!final || !ledger.isRead(final.seq)) return;
  if (what === 'delete' && !final.deleted) tell('the message has its text', final);
  else if (final.updateSeq < seq) tell(`the last version of the message is ${final.updateSeq}`, final);
  else if (what === 'edit' && final.deleted && !changes.mayBeDeleted(messageId)) tell('the message is deleted', final);
}

/** A change with a condition must follow the version that it names. */
function judgeCondition(ledger: Ledger, change: ChangeRecord, report: Report): void {
  const { seq = 0, messageId, what, ifVersion } = change;
  // Deleting a deleted message is answered whatever its version is.
  if (what === 'delete' || ifVersion === undefined) return;
  const between = ledger.changesOf(messageId).find(({ number }) => ifVersion < number && number < seq);
  const version = ledger.versions.get(ifVersion);
  const isOfOther = ifVersion >= seq || (version !== undefined && version.id !== messageId);
  if (!between && !isOfOther) return;
  const text = between ? `the message had the version ${between.number}` : 'the message never had this version';
  report('condition-ignored', text, [...(between ? [between.record] : []), change], ledger.chatId);
}

/** A changed version must be what somebody asked for. */
function judgeOrigin(ledger: Ledger, changes: Changes, version: MessageRecord, report: Report): void {
  const { id, updateSeq, text } = version;
  const { chatId } = ledger;
  const made = changes.ofMessage(id);
  if (version.deleted) {
    if (!changes.mayBeDeleted(id)) report('invented', `nobody deleted it at ${updateSeq}`, [version], chatId);
    return;
  }
  if (made.some((change) => change.what === 'edit' && change.text === text)) return;
  const refused = changes.refusedOf(id).find((change) => change.text === text);
  if (refused) report('refused-but-stored', `the edit is at ${updateSeq}`, [refused, version], chatId);
  else report('invented', `nobody edited it to this text at ${updateSeq}`, [version], chatId);
}

/** A reader must not be told that a number is covered if the chat has its message or change still. */
function judgeCovered(ledger: Ledger, changes: Changes, report: Report): void {
  for (const [seq, record] of ledger.covered) {
    const message = ledger.messages.get(seq);
    const version = ledger.versions.get(seq);
    const isMessage = message && ledger.isRead(seq) && !changes.mayBeHidden(message.id);
    const isVersion = version && version.updateSeq > version.seq && ledger.isRead(version.seq);
    const kept = isMessage ? message : isVersion && ledger.findById(version.id) === version ? version : undefined;
    if (kept) {
      report('hole', `number ${seq} is not covered`, [record, kept], ledger.chatId);
      return;
    }
  }
}
