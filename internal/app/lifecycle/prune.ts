import type { Logger } from 'pino';

interface Pruning {
  /** What is removed, in the words of the log. */
  what: string;
  /** Removes at most `limit` items, and returns how many it removed. */
  prune(limit: number): Promise<number>;
  /** The `limit` of each call of `prune`. */
  batch: number;
  /** The time between two rounds, in milliseconds. */
  everyMs: number;
  log: Logger;
}

/**
 * Removes old items in rounds: batch after batch, until one is not full. A failure is logged once and ends the round. Returns a function that stops it
 * and resolves when the batch under way is done.
 */
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
      // One line in the log, however long the database is away.
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
