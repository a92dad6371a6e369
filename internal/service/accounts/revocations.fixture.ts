import type { BanChange } from '../../model/ban.ts';
import type { BanChanges, BanRepository } from '../../repository/ban-repository.ts';
import type { RevocationSource } from '../../repository/revocation-source.ts';

/** Both sources in memory, for several nodes. `onRead` injects failures and delays. */
export class RevocationLog implements RevocationSource, Pick<BanRepository, 'listChanges'> {
  /** The number of reads of either kind. */
  reads = 0;
  /** The cursors of all reads, of either kind. */
  readonly cursors: (string | undefined)[] = [];
  /** Runs during each read. If it rejects, the read fails; if it waits, the read is late. */
  onRead: () => Promise<void> = async () => {};
  readonly #ended: string[] = [];
  readonly #changes: BanChange[] = [];

  end(...sessionIds: string[]): void {
    this.#ended.push(...sessionIds);
  }

  ban(userId: string, expiresAt?: Date): void {
    this.#changes.push({ userId, banned: true, expiresAt });
  }

  lift(userId: string): void {
    this.#changes.push({ userId, banned: false });
  }

  /** Removes the user's bans without a change that says so, as a restored database may have lost them. */
  lose(userId: string): void {
    this.#changes.splice(0, Number.POSITIVE_INFINITY, ...this.#changes.filter((change) => change.userId !== userId));
  }

  async listRevocations(cursor?: string): Promise<{ sessionIds: string[]; cursor: string }> {
    const { items, cursor: next } = await this.#read(this.#ended, cursor);
    return { sessionIds: items, cursor: next };
  }

  async listChanges(cursor?: string): Promise<BanChanges> {
    const { items, cursor: next } = await this.#read(this.#changes, cursor);
    return { changes: items, complete: cursor === undefined, cursor: next };
  }

  /** Repeats the last item before the cursor, as a source may. Items that are added while `onRead` runs are not in the answer. */
  async #read<Item>(log: readonly Item[], cursor?: string): Promise<{ items: Item[]; cursor: string }> {
    this.reads += 1;
    this.cursors.push(cursor);
    const items = log.slice(Math.max(0, Number(cursor ?? 0) - 1));
    const next = `${log.length}`;
    await this.onRead();
    return { items, cursor: next };
  }
}
