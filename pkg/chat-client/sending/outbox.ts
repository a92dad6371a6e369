import type { PendingMessage } from '../messages/pending-message.ts';

/**
 * Where messages wait so that a reload or crash loses none: each is put there before it is sent, and removed when it is answered for good. Sending
 * one again that was committed after all is harmless. It belongs to one user: whoever signs in sends what is in it.
 */
export interface Outbox {
  /** Everything in it, in the order in which it was put. */
  load(): PendingMessage[];
  /** Throws if there is no room; the message is not sent then. */
  put(message: PendingMessage): void;
  /** By chat and client message id. */
  remove(message: PendingMessage): void;
}

/** What is used of `localStorage`. */
export interface WebStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/**
 * An outbox in `localStorage`, below a key that should have the user's id in it. Each message is an entry by itself, so that pages in several
 * tabs do not undo each other's.
 */
export function webStorageOutbox(storage: WebStorage, key: string): Outbox {
  const keyOf = ({ chatId, clientMessageId }: PendingMessage) => `${key}/${chatId}/${clientMessageId}`;
  let lastPlace = 0;
  return {
    load() {
      const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '');
      const stored = keys.filter((name) => name.startsWith(`${key}/`)).flatMap((name) => parse(storage.getItem(name)));
      stored.sort((one, other) => one.place - other.place);
      lastPlace = stored.at(-1)?.place ?? 0;
      return stored.map(({ place, ...message }) => message);
    },
    put({ chatId, text, clientMessageId }) {
      // By the clock, so that those of several tabs are in order, too.
      lastPlace = Math.max(lastPlace + 1, Date.now());
      const stored: Stored = { chatId, text, clientMessageId, place: lastPlace };
      storage.setItem(keyOf(stored), JSON.stringify(stored));
    },
    remove: (message) => storage.removeItem(keyOf(message)),
  };
}

interface Stored extends PendingMessage {
  place: number;
}

/** What somebody else has put under the key is left out. */
function parse(text: string | null): Stored[] {
  try {
    const stored = JSON.parse(text ?? 'null') as Stored;
    const { chatId, text: content, clientMessageId, place } = stored;
    const complete = [chatId, content, clientMessageId].every((value) => typeof value === 'string');
    return complete && typeof place === 'number' ? [{ chatId, text: content, clientMessageId, place }] : [];
  } catch {
    return [];
  }
}
