import type { HistoryRecord } from '../history/history-record.ts';

/** Every way in which a history can contradict what the service promises, with the number of the promise. */
export const violationKinds = {
  lost: { promise: 1, says: 'an acknowledged message is not in the chat' },
  stale: { promise: 1, says: 'what was acknowledged before a read began is not in it' },
  gap: { promise: 2, says: 'a number is missing in the history' },
  clash: { promise: 2, says: 'one number stands for two messages' },
  differs: { promise: 2, says: 'two readers were given different contents of a message' },
  reordered: { promise: 2, says: 'messages stand in the wrong order' },
  doubled: { promise: 3, says: 'a message is there twice' },
  'retry-differs': { promise: 3, says: 'sending again was answered with another id or number' },
  'id-reused': { promise: 3, says: 'the same id was accepted with other content' },
  'refused-but-stored': { promise: 3, says: 'a message that was refused is in the chat' },
  hole: { promise: 4, says: 'a reader was not given a message' },
  repeated: { promise: 4, says: 'a reader was given a message again' },
  silent: { promise: 5, says: 'an open reader never got as far as the chat' },
  late: { promise: 6, says: 'a live reader was given a message too late' },
  leaked: { promise: 7, says: 'something came to, or was done by, somebody without the right' },
  'wrongly-denied': { promise: 7, says: 'somebody with the right was refused for want of it' },
  'without-role': { promise: 7, says: 'a message stands in the chat that its sender had no right to send' },
  'spoken-for': { promise: 9, says: 'a message stands under the name of somebody who did not send it' },
  invented: { promise: 9, says: 'a message is in the chat that nobody sent' },
  'cut-off': { promise: 10, says: 'a stream was ended without a word' },
  'mark-moved-back': { promise: 2, says: 'a read mark moved back' },
  'two-of-one': { promise: 3, says: 'two answers about the same thing differ' },
} as const;

export type ViolationKind = keyof typeof violationKinds;

/** One contradiction. */
export interface Violation {
  kind: ViolationKind;
  /** The number of the promise that is broken. */
  promise: number;
  chatId?: string;
  /** What contradicts what, for a person. */
  text: string;
  /** The few records that show it. */
  records: HistoryRecord[];
}

/** Takes note of a violation. */
export type Report = (kind: ViolationKind, text: string, records: readonly HistoryRecord[], chatId?: string) => void;
