import { setImmediate as nextTurn } from 'node:timers/promises';

/** Waits for `count` turns of the event loop: enough, on a machine of any speed, for work that waits for nothing else to finish. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await nextTurn();
}
