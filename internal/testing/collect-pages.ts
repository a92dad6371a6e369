import { expect } from 'vitest';
import type { Page } from '../model/page.ts';

/** Reads all pages of a list and returns their items. Expects `limit` items on every page but the last. */
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
