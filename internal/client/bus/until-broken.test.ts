import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { BrokerBus } from './broker-bus.ts';
import type { Link } from './link.ts';
import { ReconnectingLink } from './reconnecting-link.ts';
import { untilBroken } from './until-broken.ts';

interface FakeLink extends Link {
  breakNow(): void;
  /** The number of callbacks ever added to `broken`. */
  waited: number;
}

/** A link that answers at once until it is broken. `parts` replaces some of its methods. */
function newLink(parts: Partial<Link> = {}): FakeLink {
  const { promise: broken, resolve } = Promise.withResolvers<unknown>();
  const link: FakeLink = {
    maxBytes: 1_000_000,
    send: async () => {},
    subscribe: async () => {},
    unsubscribe: async () => {},
    ping: async () => {},
    destroy: () => resolve(undefined),
    broken,
    breakNow: () => resolve(new Error('broken')),
    waited: 0,
    ...parts,
  };
  const then = broken.then.bind(broken);
  // biome-ignore lint/suspicious/noThenProperty: counts the waiters, those of races too.
  broken.then = (...callbacks) => {
    link.waited += 1;
    return then(...callbacks);
  };
  return link;
}

async function startBus(link: Link) {
  const { logger, lines } = new LogLines();
  const bus = await BrokerBus.start({ open: async () => link, log: logger });
  onTestFinished(() => bus.close());
  return { bus, lines };
}

const never = new Promise<never>(() => {});

test('says whether the work was done before the link broke, and throws what the work throws', async () => {
  const link = newLink();
  expect(await untilBroken(link, Promise.resolve())).toBe(true);
  await expect(untilBroken(link, Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  const both = [untilBroken(link, never), untilBroken(link, never)];
  link.breakNow();
  expect(await Promise.all(both)).toEqual([false, false]);
  expect(await untilBroken(link, never)).toBe(false);
});

test('work that fails after the link has broken causes no unhandled rejection', async () => {
  const link = newLink();
  const { promise, reject } = Promise.withResolvers<void>();
  const waiting = untilBroken(link, promise);
  link.breakNow();
  expect(await waiting).toBe(false);
  reject(new Error('late'));
  await new Promise((resolve) => setImmediate(resolve));
});

test('sends, refusals and subscriptions leave no callbacks on the link', async () => {
  let refuses = false;
  let batches = 0;
  const link = newLink({
    send: async () => {
      batches += 1;
      if (refuses) throw new Error('refused');
    },
  });
  const { bus } = await startBus(link);
  const useIt = async () => {
    for (refuses of [false, true]) {
      bus.publishToChat(randomUUID(), { kind: 'head', seq: 1 });
      const unsubscribe = await bus.subscribeToChat(randomUUID(), () => {});
      await new Promise((resolve) => setImmediate(resolve));
      await unsubscribe();
    }
  };
  await useIt();
  const { waited } = link;
  for (let i = 0; i < 50; i += 1) await useIt();
  expect(batches).toBeGreaterThanOrEqual(100);
  expect(link.waited).toBe(waited);
});

test('a link that opens after close is destroyed', async () => {
  const link = newLink();
  const opening = Promise.withResolvers<Link>();
  const options = { pingIntervalMs: 60_000, pingTimeoutMs: 60_000, openTimeoutMs: 60_000, maxRetryMs: 60_000 };
  const deps = { open: () => opening.promise, prepare: async () => {}, onStateChange: () => {} };
  const connection = new ReconnectingLink(deps, options);
  const started = connection.start();
  const closed = connection.close();
  opening.resolve(link);
  await Promise.all([started, closed, link.broken]);
});
