import { LRUCache } from 'lru-cache';
import { Batch } from '../../../model/batch.ts';
import type { ChangesPage } from '../../message-repository.ts';

interface Range {
  afterSeq: number;
  limit: number;
}

interface Recent extends Range {
  page: ChangesPage;
}

interface Reading extends Range {
  /** Grows with every question: tells which was first, a question or a reading. */
  startedAt: number;
  result: Promise<Recent | undefined>;
}

/** How long a page is passed on, in milliseconds; what is newer comes by the bus, or with the next page. */
const ttlMs = 1_000;
/** Characters of text of all pages that are kept. Their frames are kept with them, and take some two or three times as much. */
const maxChars = 4_194_304;

/**
 * Pages of changes that are being read, or were just read, for others who are behind in the same chat. What was read before somebody asked is
 * passed on only if it brings them further, so that nobody mistakes it for the end.
 */
export class SharedPages {
  readonly #readings = new Map<string, Reading>();
  readonly #recent = new LRUCache<string, Recent>({ maxSize: maxChars, ttl: ttlMs, ttlAutopurge: true });
  #clock = 0;

  /** The page, and whether it was read for somebody else. `load` reads it anew. */
  async get(
    chatId: string,
    range: Range,
    load: () => Promise<ChangesPage | undefined>,
  ): Promise<{ page: ChangesPage | undefined; shared: boolean }> {
    this.#clock += 1;
    const askedAt = this.#clock;
    for (;;) {
      const recent = this.#recent.get(chatId);
      if (recent && serves(recent, range) && recent.page.batch.after(range.afterSeq)) {
        return { page: restOf(recent, range.afterSeq), shared: true };
      }
      const reading = this.#readings.get(chatId);
      if (!reading || !serves(reading, range)) break;
      const read = await reading.result.catch(() => undefined);
      if (read && reading.startedAt > askedAt) return { page: restOf(read, range.afterSeq), shared: true };
    }
    return { page: (await this.#read(chatId, range, load))?.page, shared: false };
  }

  #read(chatId: string, range: Range, load: () => Promise<ChangesPage | undefined>): Promise<Recent | undefined> {
    this.#clock += 1;
    const result = load().then((page) => page && { ...range, page });
    const reading = { ...range, startedAt: this.#clock, result };
    this.#readings.set(chatId, reading);
    const done = (read?: Recent) => {
      if (this.#readings.get(chatId) === reading) this.#readings.delete(chatId);
      if (read && !read.page.batch.isEmpty) this.#recent.set(chatId, read, { size: charsOf(read.page) });
    };
    result.then(done, () => done());
    return result;
  }
}

function serves(have: Range, wanted: Range): boolean {
  return have.limit === wanted.limit && have.afterSeq <= wanted.afterSeq;
}

/** Readers who lack the same entries are given the same batch. */
function restOf({ page }: Recent, afterSeq: number): ChangesPage {
  return { ...page, batch: page.batch.after(afterSeq) ?? Batch.empty };
}

/** Counts something for each entry beside its text, so that pages of tiny messages are bounded too. */
function charsOf({ batch }: ChangesPage): number {
  return batch.entries.reduce((sum, { text }) => sum + text.length + 100, 0);
}
