import type { CallRecord, MessageRecord } from '../history/history-record.ts';
import { mentionsFor } from '../history/mentions-for.ts';
import type { Ledger } from './ledger.ts';
import type { Report } from './violation.ts';

/** The service counts exactly up to this number. */
const maxCount = 1_000;

/** The counts that users were told at the end, when nobody acted any more, equal a recount from the whole chat. */
export function judgeCounts(ledger: Ledger, report: Report): void {
  for (const call of ledger.counted) {
    if (!call.counts || call.head !== ledger.audit?.last) continue;
    const { joinedSeq, unread, mentions } = call.counts;
    const after = Math.max(joinedSeq, call.readSeq ?? 0);
    const counted = [...ledger.messages.values()].filter((message) => message.seq > after && isCounted(message, call));
    const mentioning = counted.filter(({ text }) => mentionsUser(text, call.user));
    const told = [unread, mentions];
    const expected = [counted.length, mentioning.length].map((count) => Math.min(count, maxCount));
    if (told.every((count, i) => count === expected[i])) continue;
    const text = `after ${after}, ${call.user} has ${expected[0]} unread messages with ${expected[1]} mentions, but was told ${told[0]} and ${told[1]}`;
    report('wrong-count', text, [call], ledger.chatId);
  }
}

function isCounted({ sender, system, deleted, silent }: MessageRecord, { user }: CallRecord): boolean {
  return sender !== user && !system && !deleted && !silent;
}

function mentionsUser(text: string, user: string): boolean {
  return mentionsFor(text).some(({ userId, everyone }) => everyone || userId === user);
}
