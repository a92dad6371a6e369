import type { PendingMessage } from '../messages/pending-message.ts';

/**
 * A store for unanswered messages that survives a reload or crash. The client puts each message there before it sends it, and removes it once
 * the service accepts or permanently refuses it. Sending a stored message again is harmless. An outbox must belong to one user: the next client
 * sends its messages as its own user.
 */
export interface Outbox {
  /** Returns all messages in the order in which they were put. */
  load(): PendingMessage[];
  /** Stores a message. If it throws, for example because the store is full, the message is not sent. */
  put(message: PendingMessage): void;
  /** Removes the message with this chat id and client message id. Does nothing if there is none. */
  remove(message: PendingMessage): void;
}

/** The methods of `localStorage` that `webStorageOutbox` uses. */
export interface WebStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/**
 * Creates an outbox in `localStorage`. The names of its entries begin with `key`, which should contain the user's id. Each message is an entry
 * of its own, so that several tabs can use the same outbox.
 *
 * @example
 * const outbox = webStorageOutbox(localStorage, 'outbox/' + userId);
 * const client = new ChatClient({ transport, token, outbox });
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
      // The clock keeps messages of several tabs in order.
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

/** Parses an entry; returns nothing for an entry that is not a stored message. */
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
