import { expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { ConfigError } from './env-reader.ts';

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults;
  }
}

test('there is no tracing unless it is asked for', () => {
  expect(readConfig({}).tracing).toEqual({ url: undefined, sampleRatio: 1 });
});

test.each([
  'http://localhost:4318',
  'https://user:secret@collector.example/otlp',
  'jaeger://localhost:6832',
  'jaeger://agent',
  'jaeger://[::1]:6832',
])('traces may go to %s', (url) => {
  expect(readConfig({ TRACING_URL: url }).tracing.url).toBe(url);
});

test.each([
  'localhost:4318',
  'grpc://secret:4317',
  'jaeger:secret',
  'jaeger:///secret',
  'jaeger://secret:99999',
  'http://',
])('traces cannot go to %s, and it is not repeated', (url) => {
  const faults = faultsOf({ TRACING_URL: url });
  expect(faults).toEqual([expect.stringMatching(/^TRACING_URL must /)]);
  expect(faults[0]).not.toContain('secret');
});

test.each(['0', '0.25', '1', '1.0'])('%s is a sample ratio', (ratio) => {
  expect(readConfig({ TRACING_SAMPLE_RATIO: ratio }).tracing.sampleRatio).toBe(Number(ratio));
});

test.each(['-0.1', '1.01', '50%', '.5', '1e-3', '0x1', 'NaN', '0,5'])('%s is no sample ratio', (ratio) => {
  expect(faultsOf({ TRACING_SAMPLE_RATIO: ratio })).toEqual([
    `TRACING_SAMPLE_RATIO must be a number from 0 to 1, not "${ratio}"`,
  ]);
});
