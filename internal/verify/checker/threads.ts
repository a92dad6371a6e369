import type { HistoryRecord, MessageRecord, ThreadRecord } from '../history/history-record.ts';
import type { Changes } from './changes.ts';
import type { Ledger } from './ledger.ts';
import type { Sends } from './sends.ts';
import type { Report } from './violation.ts';

/** The most users that a summary names. */
const maxParticipants = 5;

/** A message refers to what its sender asked for. One that was acknowledged without its number may lack a reference to what the chat does not have. */
export function judgeReferences(ledger: Ledger, message: MessageRecord, sends: Sends, report: Report): void {
  const { replyTo, root, sender, clientMessageId } = message;
  const sent = sends.find(ledger.chatId, clientMessageId, sender);
  if (!sent || sent.texts.length === 0) return;
  const { replyToId, rootId, acknowledged } = sent;
  const tell = (text: string, ...others: (HistoryRecord | undefined)[]) => {
    const records = [acknowledged, ...others, message].filter((record) => record !== undefined);
    report('misquoted', text, records, ledger.chatId);
  };
  const mayLack = (id: string | undefined) => sends.areNumberedLater && id !== undefined && !ledger.findById(id);
  if (replyTo?.id !== replyToId && !(replyTo === undefined && mayLack(replyToId)))
    tell(`it was sent as a reply to ${replyToId}, but refers to ${replyTo?.id}`);
  const quoted = replyTo && ledger.findById(replyTo.id);
  if (quoted && quoted.seq !== replyTo.seq)
    tell(`${replyTo.id} has the number ${quoted.seq}, but is referred to with ${replyTo.seq}`, quoted);
  const named = rootId === undefined ? undefined : ledger.findById(rootId);
  // A message that joins a message of a thread is in the same thread.
  const expected = named?.root ?? rootId;
  if (root !== expected && !(root === undefined && mayLack(rootId)) && !(rootId !== undefined && !named))
    tell(`it was sent to the thread of ${expected}, but is in that of ${root}`, named);
}

/** The summary and the messages of one answer must agree: both are of one moment. */
export function judgeCounts(record: ThreadRecord, report: Report): void {
  const { listed, says, chatId } = record;
  const counted = listed.filter(({ deleted }) => !deleted);
  const participants = [...new Set(counted.map(({ sender }) => sender))].slice(0, maxParticipants);
  const recount = { replies: counted.length, last: counted.at(-1)?.seq ?? 0, participants };
  const claimed = says ?? { replies: 0, last: 0, participants: [] };
  if (JSON.stringify(claimed) === JSON.stringify(recount)) return;
  const text = `the summary says ${JSON.stringify(claimed)}, but the messages are ${JSON.stringify(recount)}`;
  report('miscounted', text, [record], chatId);
}

/** A thread must contain every message of it that was known before it was asked for. */
export function judgeListed(record: ThreadRecord, ledger: Ledger, changes: Changes, report: Report): void {
  const listed = new Set(record.listed.map(({ id }) => id));
  for (const message of ledger.messages.values()) {
    const isKnown = message.root === record.root && (ledger.knownAt.get(message.seq) ?? record.begin) < record.begin;
    if (!isKnown || listed.has(message.id) || changes.mayBeHidden(message.id)) continue;
    const text = `the thread lacks ${message.id} at ${message.seq}`;
    report('stale', text, [message, record], ledger.chatId);
    return;
  }
}
