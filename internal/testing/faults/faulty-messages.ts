import type { ChatRole } from '../../model/member.ts';
import type { Appended, MessageRepository, NewMessage } from '../../repository/message-repository.ts';
import { storageUnavailable } from '../../repository/postgres/connection/storage-error.ts';

type Commit = () => Promise<Appended[]>;

/** A real repository whose `appendBatch` a test can observe, hold up and make fail. */
export class FaultyMessages implements MessageRepository {
  readonly get: MessageRepository['get'];
  readonly listHistory: MessageRepository['listHistory'];
  readonly findChanges: MessageRepository['findChanges'];
  readonly findChangesAsMember: MessageRepository['findChangesAsMember'];
  readonly listHeads: MessageRepository['listHeads'];
  /** Every batch that was appended, in order. */
  readonly batches: (readonly NewMessage[])[] = [];
  /** Runs in place of the commit. */
  onAppend: (commit: Commit, batch: readonly NewMessage[]) => Promise<Appended[]> = (commit) => commit();
  readonly #real: MessageRepository;

  constructor(real: MessageRepository) {
    this.#real = real;
    this.get = real.get.bind(real);
    this.listHistory = real.listHistory.bind(real);
    this.findChanges = real.findChanges.bind(real);
    this.findChangesAsMember = real.findChangesAsMember.bind(real);
    this.listHeads = real.listHeads.bind(real);
  }

  appendBatch(batch: readonly NewMessage[], sendingRoles: readonly ChatRole[]): Promise<Appended[]> {
    this.batches.push(batch);
    return this.onAppend(() => this.#real.appendBatch(batch, sendingRoles), batch);
  }

  /** Commits the next batch and then fails, as when the answer is lost. */
  loseNextAnswer(): void {
    this.onAppend = async (commit) => {
      this.onAppend = (commit) => commit();
      await commit();
      throw storageUnavailable(new Error('the answer was lost'));
    };
  }

  /** Holds up all batches until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.onAppend = (commit) => promise.then(commit);
    return () => {
      this.onAppend = (commit) => commit();
      resolve();
    };
  }
}
