import { LRUCache } from 'lru-cache';
import { Batch } from '../../../model/batch.ts';
import { charsOf } from '../../../model/entry.ts';
import type { ChangesPage } from '../../message-repository.ts';

interface Range {
  afterSeq: number;
  limit: number;
}

interface Recent extends Range {
  page: ChangesPage;
}

interface Reading extends Range {
  /** A counter that questions and readings share: it says which of two began first. */
  startedAt: number;
  result: Promise<Recent | undefined>;
}

/** Milliseconds for which a page is shared. Newer changes arrive by the bus, or with the next page. */
const ttlMs = 1_000;
/** Characters of text in all pages that are kept. Their frames are kept with them and take two to three times as much. */
const maxChars = 4_194_304;

/**
 * Shares the pages of changes that are being read, or were read within the last second, among the readers that are behind in the same chat. A
 * page that was read before a question answers it only if it contains changes after the reader's position: a reader would take an empty page
 * for the end of the chat.
 */
export class SharedPages {
  readonly #readings = new Map<string, Reading>();
  readonly #recent = new LRUCache<string, Recent>({ maxSize: maxChars, ttl: ttlMs, ttlAutopurge: true });
  #clock = 0;

  /** Returns the page, and whether it was read for another reader. `load` reads it from the database. */
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

  /** Shares no page of the chat that was read, or began to be read, before this call. */
  forget(chatId: string): void {
    this.#recent.delete(chatId);
    this.#readings.delete(chatId);
  }

  /** Does so for every chat. */
  forgetAll(): void {
    this.#recent.clear();
    this.#readings.clear();
  }

  #read(chatId: string, range: Range, load: () => Promise<ChangesPage | undefined>): Promise<Recent | undefined> {
    this.#clock += 1;
    const result = load().then((page) => page && { ...range, page });
    const reading = { ...range, startedAt: this.#clock, result };
    this.#readings.set(chatId, reading);
    const done = (read?: Recent) => {
      if (this.#readings.get(chatId) !== reading) return;
      this.#readings.delete(chatId);
      if (read && !read.page.batch.isEmpty) this.#recent.set(chatId, read, { size: sizeOf(read.page) });
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

/** Counts a fixed amount for each entry beside its text, so that pages of tiny messages are bounded too. */
function sizeOf({ batch }: ChangesPage): number {
  return batch.entries.reduce((sum, entry) => sum + charsOf(entry) + 100, 0);
}
