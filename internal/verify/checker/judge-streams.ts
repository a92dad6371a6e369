import type { MessageRecord } from '../history/history-record.ts';
import type { Changes } from './changes.ts';
import type { Ledger } from './ledger.ts';
import type { Streams } from './streams.ts';
import type { Report } from './violation.ts';

interface Case {
  ledger: Ledger;
  streams: Streams;
  changes: Changes;
}

/** Judges the streamed messages of one chat after the last record. */
export function judgeStreams(one: Case, report: Report): void {
  const versions = Map.groupBy(one.ledger.versions.values(), ({ id }) => id);
  for (const id of one.streams.ofChat(one.ledger.chatId)) {
    judgeTexts(one, versions.get(id) ?? [], report);
    judgeEffect(one, id, report);
  }
}

/** Every text that a reader had of a message must be the beginning of each later one, and of what was written. */
function judgeTexts({ ledger, streams, changes }: Case, versions: readonly MessageRecord[], report: Report): void {
  let before: MessageRecord | undefined;
  for (const version of versions.toSorted((a, b) => a.updateSeq - b.updateSeq)) {
    const { id, updateSeq, text, deleted } = version;
    // What was edited or deleted has another text from then on.
    if (deleted || changes.ofMessage(id).some((change) => change.text === text)) return;
    const longer = before && before.text.length > text.length ? before : undefined;
    const isPrefix = streams.explains(id, text) && text.startsWith(before?.text ?? '');
    if (!isPrefix) {
      const than = longer ? `shorter than at ${longer.updateSeq}` : 'not a beginning of what was written';
      report(
        'not-a-prefix',
        `the text at ${updateSeq} is ${than}`,
        [...(before ? [before] : []), version],
        ledger.chatId,
      );
      return;
    }
    before = version;
  }
}

/** The final text has every part that was acknowledged, unless the message was edited or deleted since. */
function judgeEffect({ ledger, streams, changes }: Case, id: string, report: Report): void {
  const final = ledger.findById(id);
  if (!final || !ledger.isRead(final.seq)) return;
  if (streams.hasLost || changes.ofMessage(id).length > 0) return;
  const acknowledged = streams.acknowledgedOf(id);
  const last = acknowledged.findLast(({ part }) => part !== undefined);
  const parts = Math.max(0, ...acknowledged.map(({ part = 0 }) => part));
  const text = streams.textOf(id, parts) ?? '';
  if (!last || final.text.startsWith(text)) return;
  report('lost-change', `part ${parts} was acknowledged, but the text lacks it`, [last, final], ledger.chatId);
}
