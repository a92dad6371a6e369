import type { ReactionRecord, ReactRecord } from '../history/history-record.ts';
import type { Changes } from './changes.ts';
import type { Ledger } from './ledger.ts';
import { keyOf, type Reactions } from './reactions.ts';
import type { Report } from './violation.ts';

interface Case {
  ledger: Ledger;
  reactions: Reactions;
  changes: Changes;
  users: ReadonlySet<string>;
}

/** A change of a reaction that is known by its acknowledgement or by a reader. */
type Known = ReactRecord | ReactionRecord;

/** Judges the reactions in one chat after the last record. */
export function judgeReactions(one: Case, report: Report): void {
  const { ledger, reactions, users } = one;
  const acknowledged = reactions.ofChat(ledger.chatId);
  for (const record of acknowledged) judgeEffect(ledger, record, report);
  for (const record of ledger.reactions.values()) if (users.has(record.user)) judgeOrigin(one, record, report);
  judgeUnchanged(one, acknowledged, report);
  const last = lastOfEach([...acknowledged, ...ledger.reactions.values()]);
  for (const record of last.values()) judgeCovered(one, record, report);
  if (ledger.audit) judgeCounts(one, [...last.values()], report);
}

/** Under the number of an acknowledged change readers must have received that change, if they did not receive that it is covered. */
function judgeEffect(ledger: Ledger, record: ReactRecord, report: Report): void {
  const received = ledger.reactions.get(record.seq!);
  if (!received || (keyOf(received) === keyOf(record) && received.added === record.added)) return;
  const text = `'${record.clientChangeId}' was acknowledged at ${record.seq}, where readers received another reaction`;
  report('lost-change', text, [record, received], ledger.chatId);
}

/** An answer that nothing changed is right only if, at some moment of the attempt, the changes with numbers had left the reaction as asked. */
function judgeUnchanged({ ledger, reactions, changes }: Case, acknowledged: ReactRecord[], report: Report): void {
  const unchanged = reactions.unchangedIn(ledger.chatId);
  if (unchanged.length === 0) return;
  const byReaction = Map.groupBy(acknowledged, keyOf);
  for (const record of unchanged) {
    if (!reactions.isSettled(record) || changes.mayBeDeleted(record.messageId)) continue;
    const numbered = (byReaction.get(keyOf(record)) ?? []).toSorted((a, b) => a.seq! - b.seq!);
    const states = [{ added: false, firstBegin: Number.NEGATIVE_INFINITY }, ...numbered];
    const isPossible = states.some(
      ({ added, firstBegin }, i) =>
        added === record.added && firstBegin <= record.at && (numbered[i]?.at ?? record.begin) >= record.begin,
    );
    if (isPossible) continue;
    const text = `'${record.clientChangeId}' was answered as if the reaction was ${record.added ? 'there' : 'absent'}`;
    report('lost-change', text, [record, ...numbered], ledger.chatId);
  }
}

/** A reaction must be what its user asked for. */
function judgeOrigin({ ledger, reactions }: Case, record: ReactionRecord, report: Report): void {
  const asked = reactions.attemptsFor(record).filter(({ added }) => added === record.added);
  if (asked.some(({ outcome }) => outcome !== 'refused')) return;
  const [refused] = asked;
  if (refused) report('refused-but-stored', `the reaction is at ${record.seq}`, [refused, record], ledger.chatId);
  else report('invented', `${record.user} did not ask for it at ${record.seq}`, [record], ledger.chatId);
}

/** The last change of a reaction must not be covered while its message has its text. */
function judgeCovered({ ledger, reactions, changes }: Case, record: Known, report: Report): void {
  const covered = ledger.covered.get(record.seq!);
  if (!covered || !reactions.isSettled(record) || changes.mayBeDeleted(record.messageId)) return;
  report('hole', `number ${record.seq} is not covered`, [covered, record], ledger.chatId);
}

/** The numbers that pages show must be those of the users whose last change has added the reaction. */
function judgeCounts({ ledger, reactions, changes }: Case, last: readonly Known[], report: Report): void {
  const added = Map.groupBy(
    last.filter((record) => record.added),
    ({ messageId }) => messageId,
  );
  for (const [id, counts] of ledger.counts) {
    if (changes.mayBeDeleted(id)) continue;
    const users = Map.groupBy(added.get(id) ?? [], ({ emoji }) => emoji);
    for (const emoji of new Set([...users.keys(), ...Object.keys(counts)])) {
      const [count, expected] = [counts[emoji] ?? 0, users.get(emoji) ?? []];
      if (count === expected.length || reactions.isOpen(id, emoji)) continue;
      const text = `the message ${id} has ${count} × ${emoji}, but ${expected.length} users have reacted`;
      report('lost-change', text, expected.slice(0, 5), ledger.chatId);
    }
  }
}

/** Returns the known change of each reaction with the highest number. */
function lastOfEach(records: readonly Known[]): Map<string, Known> {
  const last = new Map<string, Known>();
  for (const record of records) {
    const before = last.get(keyOf(record));
    if (!before || before.seq! < record.seq!) last.set(keyOf(record), record);
  }
  return last;
}
