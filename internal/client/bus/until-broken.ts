import type { Link } from './link.ts';

/** Those who wait for something over a link; undefined once it has broken. */
interface Waiting {
  ends: Set<() => void> | undefined;
}

const links = new WeakMap<Link, Waiting>();

/**
 * Whether the work was done before the link broke. Throws what the work throws. Leaves nothing behind on a link that lives on, as a race with its
 * `broken` would each time.
 */
export function untilBroken(link: Link, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const { ends } = waitingOn(link);
    const end = () => resolve(false);
    ends?.add(end);
    work.then(() => resolve(true), reject).finally(() => ends?.delete(end));
    if (!ends) end();
  });
}

function waitingOn(link: Link): Waiting {
  const known = links.get(link);
  if (known) return known;
  const waiting: Waiting = { ends: new Set() };
  links.set(link, waiting);
  void link.broken.then(() => {
    for (const end of waiting.ends ?? []) end();
    waiting.ends = undefined;
  });
  return waiting;
}
