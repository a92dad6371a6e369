/** The shortest of several runs, in milliseconds: what else the machine does makes some of them longer, hardly all. */
export async function fastestOf(runs: number, run: () => unknown): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i += 1) {
    const begun = performance.now();
    await run();
    fastest = Math.min(fastest, performance.now() - begun);
  }
  return fastest;
}
