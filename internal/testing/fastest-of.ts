/** Returns the shortest time of several runs, in milliseconds. Other work on the machine slows down some runs, but hardly all. */
export async function fastestOf(runs: number, run: () => unknown): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i += 1) {
    const begun = performance.now();
    await run();
    fastest = Math.min(fastest, performance.now() - begun);
  }
  return fastest;
}
