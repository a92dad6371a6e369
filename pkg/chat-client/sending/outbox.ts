import type { PendingChange } from '../messages/pending-change.ts';
import type { PendingMessage } from '../messages/pending-message.ts';
import { isChange } from './durable-command.ts';

/**
 * A store for unanswered messages, edits and deletions that survives a reload or crash. The client puts each there before it sends it, and
 * removes it once the service accepts or permanently refuses it. Sending a stored one again is harmless. An outbox must belong to one user: the
 * next client sends what it holds as its own user.
 */
export interface Outbox {
  /** Returns everything in the order in which it was put. */
  load(): (PendingMessage | PendingChange)[];
  /** Stores a message or change. If it throws, for example because the store is full, nothing is sent. */
  put(content: PendingMessage | PendingChange): void;
  /** Removes the message with this chat id and client message id, or the change with this chat id and client change id. Does nothing if there is none. */
  remove(content: PendingMessage | PendingChange): void;
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
 * Creates an outbox in `localStorage`. The names of its entries begin with `key`, which should contain the user's id. Each message or change is
 * an entry of its own, so that several tabs can use the same outbox.
 *
 * @example
 * const outbox = webStorageOutbox(localStorage, 'outbox/' + userId);
 * const client = new ChatClient({ transport, token, outbox });
 */
export function webStorageOutbox(storage: WebStorage, key: string): Outbox {
  const keyOf = (content: PendingMessage | PendingChange) =>
    isChange(content)
      ? `${key}/changes/${content.chatId}/${content.clientChangeId}`
      : `${key}/${content.chatId}/${content.clientMessageId}`;
  let lastPlace = 0;
  return {
    load() {
      const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '');
      const stored = keys.filter((name) => name.startsWith(`${key}/`)).flatMap((name) => parse(storage.getItem(name)));
      stored.sort((one, other) => one.place - other.place);
      lastPlace = stored.at(-1)?.place ?? 0;
      return stored.map(({ content }) => content);
    },
    put(content) {
      // The clock keeps entries of several tabs in order.
      lastPlace = Math.max(lastPlace + 1, Date.now());
      storage.setItem(keyOf(content), JSON.stringify({ ...content, place: lastPlace }));
    },
    remove: (content) => storage.removeItem(keyOf(content)),
  };
}

interface Stored {
  content: PendingMessage | PendingChange;
  place: number;
}

/** Parses an entry; returns nothing for an entry that is not a stored message or change. */
function parse(text: string | null): Stored[] {
  try {
    const entry = JSON.parse(text ?? 'null');
    const content = toContent(entry);
    return content && typeof entry.place === 'number' ? [{ content, place: entry.place }] : [];
  } catch {
    return [];
  }
}

/** Entries without `kind` are messages. */
function toContent(entry: Record<string, unknown>): PendingMessage | PendingChange | undefined {
  const { kind, chatId, messageId, text, data, clientMessageId, clientChangeId, hide, reason, ifVersion } = entry;
  const added = typeof data === 'object' && data !== null && { data };
  const complete = (...values: unknown[]) => [chatId, ...values].every((value) => typeof value === 'string');
  if (kind === undefined) {
    return complete(text, clientMessageId)
      ? ({ chatId, text, clientMessageId, ...added } as PendingMessage)
      : undefined;
  }
  if (kind === 'edit' && complete(messageId, text, clientChangeId)) {
    return { kind, chatId, messageId, text, clientChangeId, ...added, ...version(ifVersion) } as PendingChange;
  }
  if (kind === 'delete' && complete(messageId, clientChangeId, reason) && typeof hide === 'boolean') {
    return { kind, chatId, messageId, clientChangeId, hide, reason, ...version(ifVersion) } as PendingChange;
  }
  return undefined;
}

function version(ifVersion: unknown): { ifVersion?: number } {
  return typeof ifVersion === 'number' ? { ifVersion } : {};
}
