import type { Logger } from 'pino';

interface Pruning {
  /** What is removed, for the log. */
  what: string;
  /** Removes so many at most; returns how many. */
  prune(limit: number): Promise<number>;
  /** How many at a time. */
  batch: number;
  everyMs: number;
  log: Logger;
}

/** Removes now and then what is not needed any more, in batches. Returns how to stop. */
export function pruneRegularly({ what, prune, batch, everyMs, log }: Pruning): () => Promise<void> {
  let running: Promise<void> | undefined;
  let stopped = false;
  let failing = false;
  const pruneAll = async () => {
    try {
      let pruned = batch;
      while (pruned === batch && !stopped) pruned = await prune(batch);
      failing = false;
    } catch (err) {
      // Once, however long the database is away.
      if (!failing) log.warn({ err }, `could not remove ${what}; trying again later`);
      failing = true;
    }
  };
  const timer = setInterval(() => {
    running ??= pruneAll().finally(() => {
      running = undefined;
    });
  }, everyMs);
  timer.unref();
  return async () => {
    stopped = true;
    clearInterval(timer);
    await running;
  };
}
