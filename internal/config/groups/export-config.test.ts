import { describe, expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import type { ConfigError } from '../reading/env-reader.ts';

const faultsOf = (env: Record<string, string>) => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    return (error as ConfigError).faults;
  }
};

describe('events for other services', () => {
  test('are not exported by default', () => {
    expect(readConfig({ NATS_URL: 'nats://localhost:4222' }).export).toEqual({ kind: 'none' });
  });

  test('go to the NATS of the bus unless NATS_URL is set', () => {
    const env = { EXPORT: 'jetstream', BUS_URL: 'nats://localhost:4222', EXPORT_MAX_AGE_DAYS: '2' };
    expect(readConfig(env).export).toEqual({
      kind: 'jetstream',
      nats: { url: 'nats://localhost:4222', caFile: undefined },
      stream: 'CHAT_EVENTS',
      prefix: 'chat',
      format: 'json',
      replicas: 1,
      maxAgeMs: 172_800_000,
      maxBytes: 0,
      erase: true,
    });
    expect(readConfig({ ...env, NATS_URL: 'nats://localhost:4333' }).export).toMatchObject({
      nats: { url: 'nats://localhost:4333' },
    });
  });

  test.each([
    [{ EXPORT: 'jetstream' }, 'EXPORT=jetstream needs NATS_URL'],
    [{ EXPORT: 'kafka' }, 'EXPORT must be one of none, jetstream, not "kafka"'],
    [{ EXPORT_FORMAT: 'xml' }, 'EXPORT_FORMAT must be one of json, protobuf, not "xml"'],
    [{ EXPORT_STREAM: 'A.B' }, 'EXPORT_STREAM must consist of letters, digits, "_" and "-"'],
    [{ EXPORT_PREFIX: 'chat.*' }, 'EXPORT_PREFIX must be words of letters, digits, "_" and "-", with dots between'],
  ])('cannot be set to %o', (env, fault) => {
    expect(faultsOf(env as Record<string, string>)).toEqual([fault]);
  });
});
