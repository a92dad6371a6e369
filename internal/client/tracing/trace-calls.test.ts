import { setImmediate } from 'node:timers/promises';
import { MockTracer, Tags } from 'opentracing';
import { expect, test } from 'vitest';
import { activeSpans, withActiveSpans } from './active-spans.ts';
import { traceCalls } from './trace-calls.ts';

class Store {
  readonly #items = new Map<string, string>();
  readonly size = 1;

  get count(): number {
    return this.#items.size;
  }

  async get(key: string): Promise<string | undefined> {
    await setImmediate();
    return this.#items.get(key);
  }

  async put(key: string, value: string): Promise<void> {
    this.#items.set(key, value);
  }

  async fail(): Promise<never> {
    throw new TypeError('it is broken');
  }
}

function setUp() {
  const tracer = new MockTracer();
  const root = tracer.startSpan('root');
  const spans = () => tracer.report().spans.filter((span) => span !== root);
  return { tracer, root, spans, store: traceCalls('Store', new Store()) };
}

test('tracing the calls of a part does not change its behaviour', async () => {
  const { root, store } = setUp();
  await withActiveSpans([root], async () => {
    await store.put('a', '1');
    expect(await store.get('a')).toBe('1');
    expect(store.size).toBe(1);
    expect(store.count).toBe(1);
    expect(store).toBeInstanceOf(Store);
  });
});

test('each call opens a child of the active span and finishes it when the call settles', async () => {
  const { root, store, spans } = setUp();
  await withActiveSpans([root], async () => {
    await store.put('a', '1');
    const got = store.get('a');
    expect(spans().map((span) => span._finishMs > 0)).toEqual([true, false]);
    await got;
  });
  expect(spans().map((span) => [span.operationName(), span._finishMs > 0])).toEqual([
    ['Store.put', true],
    ['Store.get', true],
  ]);
});

test('a call that fails rejects as before, and its span is marked', async () => {
  const { root, store, spans } = setUp();
  await expect(withActiveSpans([root], () => store.fail())).rejects.toThrow(new TypeError('it is broken'));
  expect(spans().map((span) => [span.tags(), span._finishMs > 0])).toEqual([
    [{ [Tags.ERROR]: true, 'error.type': 'TypeError' }, true],
  ]);
});

test('a call without an active span opens none', async () => {
  const { store, spans } = setUp();
  await store.put('a', '1');
  expect(spans()).toEqual([]);
});

test('concurrent calls see only their own spans', async () => {
  const { tracer } = setUp();
  const roots = ['one', 'two', 'three'].map((name) => tracer.startSpan(name));
  const seen = await Promise.all(
    roots.map((root) =>
      withActiveSpans([root], async () => {
        await setImmediate();
        return activeSpans();
      }),
    ),
  );
  expect(seen).toEqual(roots.map((root) => [root]));
});

test('code that outlives its work is no longer traced', async () => {
  const { root } = setUp();
  const later = Promise.withResolvers<void>();
  let left: Promise<readonly unknown[]> | undefined;
  await withActiveSpans([root], async () => {
    left = later.promise.then(activeSpans);
    expect(activeSpans()).toEqual([root]);
  });
  later.resolve();
  expect(await left).toEqual([]);
});

test('work for many spans opens one span, and work for an empty list of spans opens none', async () => {
  const { tracer, root, store, spans } = setUp();
  const others = Array.from({ length: 500 }, (_, i) => tracer.startSpan(`caller ${i}`));
  await withActiveSpans([root, ...others], () => store.put('a', '1'));
  const [span] = spans().filter((candidate) => candidate.operationName() === 'Store.put');
  expect(span).toBeDefined();
  await withActiveSpans([root], () => withActiveSpans([], () => store.put('a', '1')));
  expect(spans().filter((candidate) => candidate.operationName() === 'Store.put')).toEqual([span]);
});
