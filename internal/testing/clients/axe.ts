import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

/** What the accessibility checks of axe find on a page: the rule, and the elements that break it. */
export async function faultsOf(page: Page): Promise<unknown[]> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // In the page's own world a script could not be added: its policy forbids that.
  const { violations } = (await page.evaluate(`${source}; axe.run()`)) as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
}
