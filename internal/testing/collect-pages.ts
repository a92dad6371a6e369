import { expect } from 'vitest';
import type { Page } from '../model/page.ts';

/** Reads a list page by page and returns its items. Fails if a page but the last one has another number of items than `limit`. */
/** Pages of every size, joined. */
export async function collectPages<Item, Key>(
  list: (limit: number, after?: Key) => Promise<Page<Item, Key>>,
  limit: number,
) {
  const items: Item[] = [];
  for (let after: Key | undefined; ; ) {
    const page = await list(limit, after);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    if (page.next === undefined) return items;
    expect(page.items).toHaveLength(limit);
    after = page.next;
  }
}
