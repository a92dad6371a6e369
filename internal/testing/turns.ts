import { setImmediate as nextTurn } from 'node:timers/promises';

/** Lets the event loop go round `count` times: work that waits for nothing else is done by then, on a machine of any speed. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await nextTurn();
}
