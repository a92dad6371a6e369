import type { Link } from './link.ts';

/** Callbacks of the pending calls of `untilBroken` on a link; undefined once the link has broken. */
interface Waiting {
  ends: Set<() => void> | undefined;
}

const links = new WeakMap<Link, Waiting>();

/**
 * Waits for `work` or for the link to break. Resolves with true if the work finished first; rejects if the work did. Unlike `Promise.race` with
 * `link.broken`, it leaves no callback on a link that stays open, so memory does not grow with each call.
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
