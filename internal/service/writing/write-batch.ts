/** The steps of writing batches of one kind. */
export interface BatchWriting<Entry, Outcome> {
  /** Commits the whole batch and returns an outcome for each entry, in the same order. If it throws, the batch may have been committed without an answer. */
  write(batch: readonly Entry[]): Promise<readonly Outcome[]>;
  /**
   * Called for each written batch. `repeated`: an earlier attempt at these entries may have been committed without an answer. Returns the entries
   * to try again, perhaps after a pause.
   */
  settle(
    batch: readonly Entry[],
    outcomes: readonly Outcome[],
    repeated: boolean,
  ): readonly Entry[] | Promise<readonly Entry[]>;
  /**
   * Called when `write` throws. Resolves with the entries to try again, after a pause, or with `refused` if the database refuses the batch's content.
   * Throws to give up all entries that are not written yet.
   */
  recover(batch: readonly Entry[], error: unknown): Promise<readonly Entry[] | 'refused'>;
  /** Called for an entry that was refused alone, with the error of that attempt. */
  refuse(entry: Entry, error: unknown): void | Promise<void>;
}

/**
 * Writes a batch, in order, until each entry is settled, refused, or dropped by `recover`. A statement fails as a whole, so a refused batch is halved
 * until the entry at fault is alone, and the others are written. Throws what `recover` throws.
 */
export async function writeBatch<Entry, Outcome>(
  batch: readonly Entry[],
  writing: BatchWriting<Entry, Outcome>,
  repeated = false,
): Promise<void> {
  while (batch.length > 0) {
    let outcomes: readonly Outcome[];
    try {
      outcomes = await writing.write(batch);
    } catch (error) {
      const left = await writing.recover(batch, error);
      if (left === 'refused') return isolate(batch, error, writing, repeated);
      batch = left;
      repeated = true;
      continue;
    }
    batch = await writing.settle(batch, outcomes, repeated);
  }
}

async function isolate<Entry, Outcome>(
  batch: readonly Entry[],
  error: unknown,
  writing: BatchWriting<Entry, Outcome>,
  repeated: boolean,
): Promise<void> {
  if (batch.length === 1) return writing.refuse(batch[0]!, error);
  const half = Math.ceil(batch.length / 2);
  await writeBatch(batch.slice(0, half), writing, repeated);
  await writeBatch(batch.slice(half), writing, repeated);
}
