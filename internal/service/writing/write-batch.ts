/** How batches of one kind are written. */
export interface BatchWriting<Entry, Outcome> {
  /** Commits all of the batch, or throws and commits nothing that is known of. Returns an outcome for each entry, in the order of the batch. */
  write(batch: readonly Entry[]): Promise<readonly Outcome[]>;
  /** Called for every batch that was written. `repeated`: an earlier attempt at these entries may have been committed without an answer. */
  settle(batch: readonly Entry[], outcomes: readonly Outcome[], repeated: boolean): void;
  /**
   * Called when `write` threw. Resolves, after a wait, with the entries to try again; with `refused` if the database refuses the batch for what it
   * contains. Throws to give up everything that is not written yet.
   */
  recover(batch: readonly Entry[], error: unknown): Promise<readonly Entry[] | 'refused'>;
  /** Called for an entry that was refused alone, with the error of that attempt. */
  refuse(entry: Entry, error: unknown): void | Promise<void>;
}

/**
 * Writes a batch, in order, until each entry is settled, refused or left out by `recover`. A statement fails as a whole: a batch that is refused is
 * halved until the entry at fault is alone, and the others are written. Throws what `recover` throws.
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
    return writing.settle(batch, outcomes, repeated);
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
