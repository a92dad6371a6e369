/** Resolves when what was changed is on the screen: a list keeps its place over a change at one end, but not over one at both. */
export function drawn(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
}
