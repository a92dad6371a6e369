import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { readGatewayConfig } from './gateway-config.ts';
import { ConfigError } from './reading/env-reader.ts';
import { settingNames } from './setting-names.ts';

const example = await readFile(fileURLToPath(new URL('../../local.env.example', import.meta.url)), 'utf8');
const settings = [...example.matchAll(/^(#?)\s?([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(
  ([, comment, name = '', value = '']) => ({
    name,
    value,
    isSet: comment === '',
  }),
);

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults;
  }
}

describe('local.env.example', () => {
  test('has every variable that is read once, and no other', () => {
    expect(settings.map(({ name }) => name).sort()).toEqual([...settingNames()].sort());
  });

  test('shows the default of each setting that has one', () => {
    const withoutDefault = [
      ...[
        'POSTGRES_DSN',
        'LOG_FILE',
        'PUBLIC_URL',
        'CORS_ORIGINS',
        'TLS_CERT',
        'TLS_KEY',
        'TLS_CLIENT_CA',
        'ADMIN_TLS_CERT',
        'ADMIN_TLS_KEY',
        'ADMIN_CLIENT_CA',
        'AUTH_JWKS_URL',
      ],
      ...['GATEWAY_UPSTREAM_CA', 'GATEWAY_UPSTREAM_CERT', 'GATEWAY_UPSTREAM_KEY', 'GATEWAY_UPSTREAM_NAME'],
    ];
    for (const { name, value, isSet } of settings) {
      if (isSet || withoutDefault.includes(name)) continue;
      expect(readConfig({ [name]: value }), name).toEqual(readConfig({}));
      expect(readGatewayConfig({ [name]: value }), name).toEqual(readGatewayConfig({}));
    }
  });

  test('is a valid configuration, which only turns guests on', () => {
    const env = Object.fromEntries(settings.filter(({ isSet }) => isSet).map(({ name, value }) => [name, value]));
    expect(readConfig(env)).toEqual({ ...readConfig({}), auth: { ...readConfig({}).auth, guests: true } });
  });

  test('explains each setting', () => {
    const lines = example.split('\n');
    for (const { name } of settings) {
      const line = lines.findIndex((text) => text.replace(/^#/, '').startsWith(`${name}=`));
      // A setting may share the comment of the one above it.
      const above = lines.slice(0, line).findLast((text) => !/^#?[A-Z][A-Z0-9_]*=/.test(text));
      expect(above, name).toMatch(/^# /);
    }
  });
});

describe('the configuration', () => {
  test('needs nothing to be set, listens on loopback only, and admits no guests', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      listen: { host: '127.0.0.1', grpcPort: 50_051 },
      database: { dsn: undefined },
      auth: { guests: false },
    });
  });

  test('treats an empty variable as one that is not set, but an empty list as one without items', () => {
    const empty = Object.fromEntries(settings.map(({ name }) => [name, ' ']));
    const { rooms, ...others } = readConfig({});
    expect(readConfig(empty)).toEqual({ ...others, rooms: { ...rooms, names: [] }, features: new Set() });
  });

  test('is read with its units', () => {
    const config = readConfig({
      AUTH_TOKEN_TTL_SECONDS: '60',
      ROOMS: ' a, b ,,c',
      MIGRATE_ON_START: 'FALSE',
      AUTH_GUESTS: '1',
    });
    expect(config).toMatchObject({
      auth: { tokenTtlMs: 60_000, guests: true },
      rooms: { names: ['a', 'b', 'c'] },
      database: { migrateOnStart: false },
    });
  });

  test('reports every fault together, each with the name of its variable', () => {
    const faults = faultsOf({
      GRPC_PORT: '70000',
      POSTGRES_POOL_SIZE: '1.5',
      MIGRATE_ON_START: 'maybe',
      LOG_LEVEL: 'loud',
      ROOMS: 'fine, not fine!',
      POSTGRES_DSN: 'mysql://u:p@h/d',
      MAX_TEXT_LENGTH: '0x10',
      WRITER_MAX_BATCH: '١',
    });
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
      'GRPC_PORT',
      'POSTGRES_DSN',
      'POSTGRES_POOL_SIZE',
      'MIGRATE_ON_START',
      'LOG_LEVEL',
      'ROOMS',
      'MAX_TEXT_LENGTH',
      'WRITER_MAX_BATCH',
    ]);
    expect(faults[0]).toBe('GRPC_PORT must be a whole number from 0 to 65535, not "70000"');
    expect(faults.join()).toContain('not fine!');
  });

  test.each([
    'postgres:secret',
    'postgres://user:secret%@host/db',
    'mysql://user:secret@host/db',
    'http://secret',
    'secret',
    'postgres//user:secret@host',
  ])('repeats no password when it cannot take the address %s', (dsn) => {
    const faults = faultsOf({ POSTGRES_DSN: dsn, GRPC_PORT: 'x' });
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.join()).not.toContain('secret');
  });

  test.each([
    [
      'more batches at once than connections',
      { WRITER_MAX_IN_FLIGHT: '10', POSTGRES_POOL_SIZE: '10' },
      'WRITER_MAX_IN_FLIGHT',
    ],
    ['frames too small for a message', { MAX_FRAME_BYTES: '4096', MAX_TEXT_LENGTH: '1000' }, 'MAX_FRAME_BYTES'],
    [
      'a call that ends before the writer gives up',
      { CALL_TIMEOUT_MS: '4000', WRITER_GIVE_UP_MS: '4000' },
      'WRITER_GIVE_UP_MS',
    ],
  ])('refuses settings that do not fit together: %s', (_, env, name) => {
    expect(faultsOf(env)).toEqual([expect.stringContaining(name)]);
  });

  test('says how to write a password with special characters', () => {
    const fault = 'POSTGRES_DSN must have special characters of its user and password escaped, as in p%40ss for p@ss';
    expect(faultsOf({ POSTGRES_DSN: 'postgres://user:100%@host/db' })).toEqual([fault]);
    expect(faultsOf({ POSTGRES_DSN: 'postgres://user:%ff@host/db' })).toEqual([fault]);
    expect(readConfig({ POSTGRES_DSN: 'postgres://user:100%25@host/db' }).database.dsn).toContain('100%25');
  });

  test.each(['AUTH_JWKS_URL', 'AUTH_REVOCATIONS_URL'])(
    'admits no credentials in %s, which would not be sent',
    (name) => {
      const outside = { AUTH_ISSUER: 'i', AUTH_AUDIENCE: 'a', AUTH_JWKS_URL: 'https://issuer.example/jwks' };
      const faults = faultsOf({ ...outside, [name]: 'https://user:secret@issuer.example/x' });
      expect(faults).toEqual([`${name} must be without user and password: they would not be used`]);
    },
  );
});

test('tracing is off by default', () => {
  expect(readConfig({}).tracing).toEqual({ url: undefined, sampleRatio: 1, queueSize: 8_192 });
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
