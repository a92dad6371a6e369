import fc from 'fast-check';
import prom from 'prom-client';
import { expect, test } from 'vitest';
import { parseSamples } from './parse-samples.ts';

test('samples are read with their labels; comments, timestamps and exemplars are left out', () => {
  const text = `# HELP a_total What it counts # and more.
# TYPE a counter
a_total 3
a_total{x="1",y="two words"} 4.5 1700000000000
b_bucket{le="0.5"} 7 # {trace_id="abc"} 0.4 1700000000.1
c +Inf

not a sample
# EOF
`;
  expect(parseSamples(text)).toEqual([
    { name: 'a_total', labels: {}, value: 3 },
    { name: 'a_total', labels: { x: '1', y: 'two words' }, value: 4.5 },
    { name: 'b_bucket', labels: { le: '0.5' }, value: 7 },
    { name: 'c', labels: {}, value: Number.POSITIVE_INFINITY },
  ]);
});

test('any value of a label comes back as it was', async () => {
  const values = fc.uniqueArray(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(values, async (labels) => {
      const registry = new prom.Registry();
      const gauge = new prom.Gauge({ name: 'a', help: 'a', labelNames: ['x'], registers: [registry] });
      for (const [i, x] of labels.entries()) gauge.set({ x }, i);
      const samples = parseSamples(await registry.metrics());
      expect(samples.map(({ labels: { x }, value }) => [x, value])).toEqual(labels.map((x, i) => [x, i]));
    }),
  );
});
