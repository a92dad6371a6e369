const steps: Record<string, number> = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 };

/** Moves the focus among the matching items: arrow keys to the next or previous one, cyclically, Home and End to the first and last. */
export function moveByArrow(event: KeyboardEvent & { currentTarget: HTMLElement }, selector: string): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>(selector)];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const step = steps[event.key];
  const last = items.length - 1;
  const to = step !== undefined ? (at + step + items.length) % items.length : { Home: 0, End: last }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  items[to]?.focus();
}
