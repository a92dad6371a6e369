import type { HistoryRecord } from '../history/history-record.ts';

/** Every way in which a history can contradict a promise of the service, with the number of the promise. */
export const violationKinds = {
  lost: { promise: 1, says: 'an acknowledged message is not in the chat' },
  stale: { promise: 1, says: 'a read lacks a message or a change that was known before the read began' },
  'lost-change': {
    promise: 1,
    says: 'an acknowledged edit, deletion, part or reaction had no effect, or a count of reactions is wrong',
  },
  'deleted-seen': { promise: 12, says: 'the text of a message was delivered after its deletion was acknowledged' },
  gap: { promise: 2, says: 'a number is missing in the history' },
  clash: { promise: 2, says: 'two messages or changes have the same number' },
  differs: { promise: 2, says: 'two readers received different contents of a message' },
  reordered: { promise: 2, says: 'messages are in the wrong order' },
  doubled: { promise: 3, says: 'a message or a change is in the chat twice' },
  'retry-differs': { promise: 3, says: 'a retry was answered with another id or number' },
  'id-reused': { promise: 3, says: 'a used id was accepted with other content' },
  'refused-but-stored': { promise: 3, says: 'a message, an edit or a reaction that was refused is in the chat' },
  hole: { promise: 4, says: 'a reader did not receive a message' },
  repeated: { promise: 4, says: 'a reader received a message again' },
  silent: { promise: 5, says: 'an open reader never received the end of the chat' },
  late: { promise: 6, says: 'a live reader received a message too late' },
  leaked: { promise: 7, says: 'a user received or did something without the right to it' },
  'wrongly-denied': { promise: 7, says: 'a user was refused for lack of a right that the user had' },
  'without-role': { promise: 7, says: 'the chat has a message or a change by a user who had no right to it' },
  'spoken-for': { promise: 9, says: 'a message names a sender who did not send it' },
  invented: { promise: 9, says: 'the chat has a message, an edit, a deletion or a reaction that nobody sent' },
  'cut-off': { promise: 10, says: 'a stream ended without a reason' },
  'changed-by-other': { promise: 9, says: 'a message was changed by a user who may not change it' },
  'condition-ignored': { promise: 3, says: 'a conditional change was made to another version of the message' },
  'version-moved-back': { promise: 2, says: 'a reader received an older version of a message after a newer one' },
  'mark-moved-back': { promise: 2, says: 'a read mark moved back' },
  misquoted: { promise: 1, says: 'a message does not refer to the message that it was sent to refer to' },
  miscounted: { promise: 13, says: 'the summary of a thread is not that of its messages in the same answer' },
  'wrong-count': { promise: 2, says: 'a count of unread messages or mentions differs from a recount' },
  'two-of-one': { promise: 3, says: 'two answers about the same thing differ' },
  'not-a-prefix': {
    promise: 2,
    says: 'a text of a growing message is shorter than an earlier one, or no beginning of what was written',
  },
} as const;

export type ViolationKind = keyof typeof violationKinds;

/** One contradiction. */
export interface Violation {
  kind: ViolationKind;
  /** The number of the promise that is broken. */
  promise: number;
  chatId?: string;
  /** The contradiction, for a person to read. */
  text: string;
  /** The few records that show it. */
  records: HistoryRecord[];
}

/** Reports a violation. */
export type Report = (kind: ViolationKind, text: string, records: readonly HistoryRecord[], chatId?: string) => void;
