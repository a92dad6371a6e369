import type { IngestLog } from '../../client/ingest/ingest-log.ts';
import type { RefusedEntryRepository } from '../../repository/refused-entry-repository.ts';

interface Deps {
  ingestLog: Pick<IngestLog, 'appendAgain'>;
  refused: RefusedEntryRepository;
}

/** What became of the entries. */
export interface Replayed {
  appended: number;
  /** Entries that cannot be decoded. They stay set aside. */
  unreadable: number;
}

/**
 * Appends the entries that were set aside to the log again, in order, and removes each one once the log has stored it. Their messages keep their ids and
 * get new numbers. Entries that are set aside meanwhile are left for the next call. Calling it again is safe: the log or the database recognises a message
 * that an interrupted call has appended. Throws at the first entry that the log does not take.
 */
export async function replayRefused({ ingestLog, refused }: Deps): Promise<Replayed> {
  const counts: Replayed = { appended: 0, unreadable: 0 };
  const throughId = await refused.findLastId();
  let afterId = 0;
  for (;;) {
    const entry = await refused.take({ afterId, throughId }, async ({ id, body }) => {
      const result = await ingestLog.appendAgain(body, `${id}`);
      switch (result.outcome) {
        case 'appended':
        case 'duplicate':
          counts.appended += 1;
          return true;
        case 'unreadable':
          counts.unreadable += 1;
          return false;
        case 'full':
          throw new Error(`the log has no room for entry ${id}; ${counts.appended} entries were appended before`);
        case 'unavailable': {
          const { cause } = result;
          throw new Error(
            `the log did not take entry ${id}: ${(cause as Error).message}; ${counts.appended} entries were appended before`,
            { cause },
          );
        }
        default:
          return result satisfies never;
      }
    });
    if (!entry) return counts;
    afterId = entry.id;
  }
}
