import { newId } from '../ids/new-id.ts';
import type { PendingChange } from '../messages/pending-change.ts';
import type { PendingMessage } from '../messages/pending-message.ts';
import { idOf } from './durable-command.ts';
import { type Tabs, TabWatch } from './tabs.ts';

/**
 * A store for unanswered messages, edits, deletions and reactions that survives a reload or crash. The client puts each there before it sends it, and
 * removes it once the service accepts or permanently refuses it. Sending a stored one again is harmless. An outbox must belong to one user: the
 * next client sends what it holds as its own user.
 */
export interface Outbox {
  /** Returns everything in the order in which it was put. */
  load(): (PendingMessage | PendingChange)[];
  /** Stores a message or change. If it throws, for example because the store is full, nothing is sent. */
  put(content: PendingMessage | PendingChange): void;
  /**
   * Calls the listener when another client has left unanswered messages or changes here and is gone: this client then loads and sends them. Returns a
   * function that ends this, and lets others know that this client is gone. Optional: without it, the next client that starts sends them.
   */
  onLeft?(listener: () => void): () => void;
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
 * an entry of its own, so that several tabs can use the same outbox. With `window`, a tab also sends what another one has left when it is closed; else that
 * waits until the next tab is opened.
 *
 * @example
 * const outbox = webStorageOutbox(localStorage, 'outbox/' + userId, window);
 * const client = new ChatClient({ transport, token, outbox });
 */
export function webStorageOutbox(storage: WebStorage, key: string, window?: Tabs): Outbox {
  const keyOf = (content: PendingMessage | PendingChange) => `${key}/${idOf(content)}`;
  const ownTab = newId();
  let lastPlace = 0;
  const read = (): Stored[] => {
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '');
    const stored = keys.filter((name) => name.startsWith(`${key}/`)).flatMap((name) => parse(storage.getItem(name)));
    return stored.sort((one, other) => one.place - other.place);
  };
  const store = (content: Stored['content'], place: number) =>
    storage.setItem(keyOf(content), JSON.stringify({ ...content, place, tab: ownTab }));
  return {
    load() {
      const stored = read();
      lastPlace = stored.at(-1)?.place ?? 0;
      return stored.map(({ content }) => content);
    },
    onLeft(listener) {
      const watch = new TabWatch(window?.navigator.locks, key, (tab) => {
        const left = read().filter((one) => one.tab === tab);
        if (left.length === 0) return;
        listener();
        // This tab may be closed, too, before they are answered. Full storage costs no more than that another tab sends them as well.
        for (const { content, place } of left) store(content, place);
      });
      const see = ({ key: name, newValue }: { key: string | null; newValue: string | null }) => {
        if (!name?.startsWith(`${key}/`)) return;
        for (const { tab } of parse(newValue)) if (tab !== undefined) watch.see(tab);
      };
      watch.enter(ownTab);
      for (const { tab } of read()) if (tab !== undefined) watch.see(tab);
      window?.addEventListener('storage', see);
      return () => {
        window?.removeEventListener('storage', see);
        watch.stop();
      };
    },
    put(content) {
      // The clock keeps entries of several tabs in order.
      lastPlace = Math.max(lastPlace + 1, Date.now());
      store(content, lastPlace);
    },
    remove: (content) => storage.removeItem(keyOf(content)),
  };
}

interface Stored {
  content: PendingMessage | PendingChange;
  place: number;
  /** The tab that sends it. */
  tab: string | undefined;
}

/** Parses an entry; returns nothing for an entry that is not a stored message or change. */
function parse(text: string | null): Stored[] {
  try {
    const entry = JSON.parse(text ?? 'null');
    const content = toContent(entry);
    const { place, tab } = entry;
    return content && typeof place === 'number'
      ? [{ content, place, tab: typeof tab === 'string' ? tab : undefined }]
      : [];
  } catch {
    return [];
  }
}

/** Entries without `kind` are messages. */
function toContent(entry: Record<string, unknown>): PendingMessage | PendingChange | undefined {
  const {
    kind,
    chatId,
    messageId,
    text,
    data,
    mentions,
    clientMessageId,
    clientChangeId,
    hide,
    reason,
    ifVersion,
    emoji,
  } = entry;
  const added = {
    ...(typeof data === 'object' && data !== null && { data }),
    ...(Array.isArray(mentions) && { mentions }),
  };
  const complete = (...values: unknown[]) => [chatId, ...values].every((value) => typeof value === 'string');
  if (kind === undefined) {
    return complete(text, clientMessageId)
      ? ({ chatId, text, clientMessageId, ...added, ...options(entry) } as PendingMessage)
      : undefined;
  }
  if (kind === 'edit' && complete(messageId, text, clientChangeId)) {
    return { kind, chatId, messageId, text, clientChangeId, ...added, ...version(ifVersion) } as PendingChange;
  }
  if (kind === 'delete' && complete(messageId, clientChangeId, reason) && typeof hide === 'boolean') {
    return { kind, chatId, messageId, clientChangeId, hide, reason, ...version(ifVersion) } as PendingChange;
  }
  if ((kind === 'react' || kind === 'unreact') && complete(messageId, emoji, clientChangeId)) {
    return { kind, chatId, messageId, emoji, clientChangeId } as PendingChange;
  }
  return undefined;
}

function options({ type, silent, replyToId, rootId }: Record<string, unknown>): Partial<PendingMessage> {
  const named = Object.entries({ type, replyToId, rootId }).filter(([, value]) => typeof value === 'string');
  return { ...Object.fromEntries(named), ...(silent === true && { silent }) };
}

function version(ifVersion: unknown): { ifVersion?: number } {
  return typeof ifVersion === 'number' ? { ifVersion } : {};
}
