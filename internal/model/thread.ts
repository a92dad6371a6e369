/** What is known of a thread that has had messages. Deleted ones do not count, nor does the root. */
export interface ThreadSummary {
  readonly replyCount: number;
  /** The number of the last message; 0 if there is none. */
  readonly lastSeq: number;
  readonly lastAt?: Date;
  /** The ids of the users that sent the first messages, at most 5. */
  readonly participantIds: readonly string[];
  /** The number of the last change that is counted. */
  readonly updateSeq: number;
}
