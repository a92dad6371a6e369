import { expect, test } from 'vitest';
import { readConfig } from '../config.ts';

const nats = 'nats://127.0.0.1:4222';

test('messages are committed directly by default', () => {
  expect(readConfig({}).ingest).toEqual({ kind: 'direct' });
  expect(readConfig({ NATS_URL: nats }).ingest).toEqual({ kind: 'direct' });
});

test('JetStream is where NATS_URL says, or else the bus, if that is NATS', () => {
  const ingest = (env: Record<string, string>) => readConfig({ INGEST: 'jetstream', ...env }).ingest;
  expect(ingest({ NATS_URL: nats })).toEqual({
    kind: 'jetstream',
    nats: { url: nats, caFile: undefined },
    stream: 'CHAT_INGEST',
    partitions: 16,
    replicas: 1,
    maxBytes: 1_073_741_824,
    duplicateWindowMs: 600_000,
    rememberSendersMs: 300_000,
  });
  expect(ingest({ BUS_URL: 'tls://bus.example', BUS_CA: 'ca.crt' })).toMatchObject({
    nats: { url: 'tls://bus.example', caFile: 'ca.crt' },
  });
  expect(ingest({ BUS_URL: nats, NATS_URL: 'tls://other.example' })).toMatchObject({
    nats: { url: 'tls://other.example' },
  });
});

test('JetStream without NATS, and a stream name that NATS does not allow, are faults', () => {
  expect(() => readConfig({ INGEST: 'jetstream' })).toThrow('INGEST=jetstream needs NATS_URL');
  expect(() => readConfig({ INGEST: 'jetstream', BUS_URL: 'redis://127.0.0.1:6379' })).toThrow('needs NATS_URL');
  expect(() => readConfig({ NATS_URL: 'http://127.0.0.1' })).toThrow('NATS_URL must be a URL');
  expect(() => readConfig({ INGEST_STREAM: 'a.b' })).toThrow('INGEST_STREAM must consist of');
});

test('plain text to NATS on another machine causes one warning', () => {
  const elsewhere = 'nats://nats.example:4222';
  expect(readConfig({ NATS_URL: elsewhere }).warnings).toEqual([expect.stringContaining('NATS_URL')]);
  expect(readConfig({ BUS_URL: elsewhere }).warnings).toEqual([expect.stringContaining('BUS_URL')]);
});
