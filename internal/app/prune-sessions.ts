import type { Logger } from 'pino';
import type { AccountRepository } from '../repository/account-repository.ts';

const everyMs = 600_000;
const batch = 1_000;

/** Forgets old sessions now and then. Returns how to stop. */
export function pruneSessions(accounts: AccountRepository, log: Logger): () => Promise<void> {
  let running: Promise<void> | undefined;
  let stopped = false;
  const prune = async () => {
    try {
      let pruned = batch;
      while (pruned === batch && !stopped) pruned = await accounts.prune(batch);
    } catch (err) {
      log.warn({ err }, 'could not forget old sessions; trying again later');
    }
  };
  const timer = setInterval(() => {
    running ??= prune().finally(() => {
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
