import type { Message } from '../../../../pkg/chat-client/index.ts';
import type { ConversationState } from '../chats/conversation-state.ts';
import type { Outgoing } from '../chats/outgoing.ts';
import { dayKey } from '../text/dates.ts';

/** One line of the conversation. */
export type Row = { key: string } & (
  | { kind: 'beginning'; hasOlder: boolean }
  | { kind: 'day'; at: Date }
  | { kind: 'unread' }
  | { kind: 'system'; message: Message }
  | ({ kind: 'message'; message: Message } & Bubble)
  | ({ kind: 'outgoing'; outgoing: Outgoing } & Bubble)
);

interface Bubble {
  own: boolean;
  /** Whether it is the first, or the last, of those that somebody wrote one after the other. */
  first: boolean;
  last: boolean;
}

/** Messages of one sender that are closer together than this belong together, in milliseconds. */
const groupMs = 5 * 60_000;

/** The lines that a conversation is shown as. */
export function toRows({ window, outgoing, unreadAfter }: ConversationState, ownId: string): Row[] {
  const rows: Row[] = [{ kind: 'beginning', key: 'beginning', hasOlder: window.hasOlder }];
  let day = '';
  let unread = unreadAfter;
  const beginDay = (at: Date) => {
    if (dayKey(at) === day) return;
    day = dayKey(at);
    rows.push({ kind: 'day', key: `day ${day}`, at });
  };
  for (const message of window.messages) {
    const { seq, sender, system, silent, createdAt = new Date(0) } = message;
    const own = sender?.id === ownId;
    beginDay(createdAt);
    if (unread !== undefined && seq > unread && !system && !silent && !own) {
      rows.push({ kind: 'unread', key: 'unread' });
      unread = undefined;
    }
    if (system) rows.push({ kind: 'system', key: `system ${seq}`, message });
    else rows.push({ kind: 'message', key: keyOf(sender?.id, message.clientMessageId), message, own, ...alone });
  }
  if (!window.hasNewer) {
    for (const one of outgoing) {
      beginDay(one.at);
      rows.push({ kind: 'outgoing', key: keyOf(ownId, one.clientMessageId), outgoing: one, own: true, ...alone });
    }
  }
  joinBubbles(rows);
  return rows;
}

const alone = { first: true, last: true };

/** The same before and after it is committed, so that nothing on the screen is replaced. */
function keyOf(senderId: string | undefined, clientMessageId: string): string {
  return `message ${senderId} ${clientMessageId}`;
}

function joinBubbles(rows: Row[]): void {
  rows.forEach((row, index) => {
    const before = rows[index - 1];
    if (!isBubble(row) || !before || !isBubble(before)) return;
    if (senderOf(row) !== senderOf(before) || timeOf(row) - timeOf(before) > groupMs) return;
    row.first = false;
    before.last = false;
  });
}

type BubbleRow = Row & { kind: 'message' | 'outgoing' };

function isBubble(row: Row): row is BubbleRow {
  return row.kind === 'message' || row.kind === 'outgoing';
}

function senderOf(row: BubbleRow): string | undefined {
  return row.own ? '' : row.kind === 'message' ? row.message.sender?.id : '';
}

function timeOf(row: BubbleRow): number {
  return (row.kind === 'message' ? row.message.createdAt : row.outgoing.at)?.getTime() ?? 0;
}

/** Returns the `seq` of the last message up to the row at `index`. */
export function seqUpTo(rows: readonly Row[], index: number): number {
  for (let at = Math.min(index, rows.length - 1); at >= 0; at -= 1) {
    const row = rows[at]!;
    if (row.kind === 'message' || row.kind === 'system') return row.message.seq;
  }
  return 0;
}
