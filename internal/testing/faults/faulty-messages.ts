import type { Appended, MessageRepository, NewMessage } from '../../repository/message-repository.ts';
import { storageUnavailable } from '../../repository/postgres/connection/storage-error.ts';
import { withFaults } from './with-faults.ts';

type Commit = () => Promise<Appended[]>;

/** Lets a test observe a real repository's `appendBatch`, delay it and make it fail. */
export class FaultyMessages {
  /** The repository for the part under test; all other methods are the real ones. */
  readonly repository: MessageRepository;
  /** Every batch that was appended, in order. */
  readonly batches: (readonly NewMessage[])[] = [];
  /** Runs in place of the commit. */
  onAppend: (commit: Commit, batch: readonly NewMessage[]) => Promise<Appended[]> = (commit) => commit();

  constructor(real: MessageRepository) {
    this.repository = withFaults(real, () => ({
      appendBatch: (batch, sendingRoles, lockWaitMs) => {
        this.batches.push(batch);
        return this.onAppend(() => real.appendBatch(batch, sendingRoles, lockWaitMs), batch);
      },
    }));
  }

  /** Commits the next batch and then fails, as when the answer is lost. */
  loseNextAnswer(): void {
    this.onAppend = async (commit) => {
      this.onAppend = (commit) => commit();
      await commit();
      throw storageUnavailable(new Error('the answer was lost'));
    };
  }

  /** Delays all batches until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.onAppend = (commit) => promise.then(commit);
    return () => {
      this.onAppend = (commit) => commit();
      resolve();
    };
  }
}
