import type { WebStorage } from '../../../../pkg/chat-client/index.ts';

/** An in-memory substitute for `localStorage`. */
export function newStorage({ maxItems = Number.POSITIVE_INFINITY } = {}): WebStorage & { items: Map<string, string> } {
  const items = new Map<string, string>();
  return {
    items,
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem(key, value) {
      if (items.size >= maxItems && !items.has(key)) throw new Error('QuotaExceededError');
      items.set(key, value);
    },
    removeItem: (key) => void items.delete(key),
  };
}
