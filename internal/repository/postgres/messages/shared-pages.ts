import { LRUCache } from 'lru-cache';
import type { ChangesPage } from '../../message-repository.ts';

interface Range {
  afterSeq: number;
  limit: number;
}

interface Recent extends Range {
  page: ChangesPage;
  /** The rest of the page after a number: the same array for all who ask, so that it is encoded once. */
  rests: Map<number, ChangesPage>;
}

interface Reading extends Range {
  /** Grows with every question: tells which was first, a question or a reading. */
  startedAt: number;
  result: Promise<Recent | undefined>;
}

/** How long a page is passed on, in milliseconds; what is newer comes by the bus, or with the next page. */
const ttlMs = 1_000;
/** Characters of text that are kept, of all pages together. */
const maxChars = 8_388_608;

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
      const rest = recent && serves(recent, range) && restOf(recent, range.afterSeq);
      if (rest && rest.messages.length > 0) return { page: rest, shared: true };
      const reading = this.#readings.get(chatId);
      if (!reading || !serves(reading, range)) break;
      const read = await reading.result.catch(() => undefined);
      if (read && reading.startedAt > askedAt) return { page: restOf(read, range.afterSeq), shared: true };
    }
    return { page: (await this.#read(chatId, range, load))?.page, shared: false };
  }

  #read(chatId: string, range: Range, load: () => Promise<ChangesPage | undefined>): Promise<Recent | undefined> {
    this.#clock += 1;
    const result = load().then((page) => page && { ...range, page, rests: new Map() });
    const reading = { ...range, startedAt: this.#clock, result };
    this.#readings.set(chatId, reading);
    const done = (read?: Recent) => {
      if (this.#readings.get(chatId) === reading) this.#readings.delete(chatId);
      if (read && read.page.messages.length > 0) this.#recent.set(chatId, read, { size: charsOf(read.page) });
    };
    result.then(done, () => done());
    return result;
  }
}

function serves(have: Range, wanted: Range): boolean {
  return have.limit === wanted.limit && have.afterSeq <= wanted.afterSeq;
}

function restOf({ page, rests }: Recent, afterSeq: number): ChangesPage {
  let rest = rests.get(afterSeq);
  if (!rest) {
    const messages = page.messages.filter(({ updateSeq }) => updateSeq > afterSeq);
    rest = messages.length === page.messages.length ? page : { ...page, messages };
    rests.set(afterSeq, rest);
  }
  return rest;
}

/** With something for each message: also short ones take room. */
function charsOf({ messages }: ChangesPage): number {
  return messages.reduce((sum, { text }) => sum + text.length + 100, 0);
}
