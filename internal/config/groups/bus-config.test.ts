import { expect, test } from 'vitest';
import { readConfig } from '../config.ts';

const busOf = (env: Record<string, string>) => readConfig(env).bus;

test('the default bus is that of a single process', () => {
  expect(busOf({})).toEqual({ kind: 'memory' });
});

test.each([
  ['memory:', { kind: 'memory' }],
  ['postgres:', { kind: 'postgres' }],
  ['nats://nats:4222', { kind: 'nats', url: 'nats://nats:4222', caFile: undefined, prefix: 'chat' }],
  ['redis://:x%40y@redis', { kind: 'redis', url: 'redis://:x%40y@redis', caFile: undefined, prefix: 'chat' }],
])('BUS_URL=%s says what the bus is', (BUS_URL, bus) => {
  expect(busOf({ BUS_URL })).toEqual(bus);
});

test.each(['tls://a', 'rediss://a'])('%s can have its own authorities and prefix', (BUS_URL) => {
  expect(busOf({ BUS_URL, BUS_CA: 'ca.crt', BUS_PREFIX: 'staging' })).toMatchObject({
    caFile: 'ca.crt',
    prefix: 'staging',
  });
});

test.each([
  ['kafka://secret@x', /^BUS_URL must be memory:, postgres:, or a URL that begins with nats:/],
  ['nonsense', /^BUS_URL must be memory:/],
  ['nats:', /and names a host/],
  [
    'postgres://user:secret@other/db',
    /^BUS_URL takes nothing after postgres:, which means the database of POSTGRES_DSN/,
  ],
  ['memory://x', /^BUS_URL takes nothing after memory:/],
  ['redis://:secret%zz@x', /^BUS_URL must have special characters of its user and password escaped/],
])('BUS_URL=%s is refused without being repeated', (BUS_URL, fault) => {
  expect(() => busOf({ BUS_URL })).toThrow(fault);
  expect(() => busOf({ BUS_URL })).toThrow(/^((?!secret).)*$/s);
});

test('authorities without TLS and a prefix with other characters are refused', () => {
  expect(() => busOf({ BUS_URL: 'nats://a', BUS_CA: 'ca.crt' })).toThrow('BUS_CA is for');
  expect(() => busOf({ BUS_URL: 'nats://a', BUS_PREFIX: 'a.b' })).toThrow('BUS_PREFIX must');
});

test('plain text to another machine and a common password cause a warning, and are refused in production', () => {
  const env = { BUS_URL: 'redis://:redis@cache:6379/' };
  expect(readConfig({ BUS_URL: 'nats://10.0.0.1' }).warnings).toContainEqual(
    expect.stringContaining('BUS_URL names another machine'),
  );
  expect(readConfig({ BUS_URL: 'redis://:password@cache' }).warnings).toContainEqual(
    expect.stringContaining('BUS_URL has a password'),
  );
  expect(() => readConfig({ ...env, NODE_ENV: 'production' })).toThrow('BUS_URL names another machine without TLS');
  expect(readConfig({ BUS_URL: 'nats://127.0.0.1' }).warnings).toEqual([]);
});
