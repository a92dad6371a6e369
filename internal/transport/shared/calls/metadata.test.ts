import { describe, expect, test } from 'vitest';
import { toMetadata, toTimeoutMs } from './metadata.ts';

describe('metadata', () => {
  test('has the Grpc-Metadata- headers, the token, and the trace headers', () => {
    const metadata = toMetadata(
      {
        'grpc-metadata-tenant': 'blue',
        'grpc-metadata-key-bin': Buffer.from([0, 255]).toString('base64'),
        authorization: 'Bearer t',
        traceparent: '00-x',
        'user-agent': 'curl/8',
        accept: '*/*',
        cookie: 'a=b',
      },
      'id-1',
    );
    expect(Object.fromEntries(metadata)).toEqual({
      tenant: 'blue',
      'key-bin': Buffer.from([0, 255]),
      authorization: 'Bearer t',
      traceparent: '00-x',
      'grpcgateway-user-agent': 'curl/8',
      'x-request-id': 'id-1',
    });
  });

  test.each([
    'authorization',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-request-id',
    'grpc-timeout',
    'grpc-status',
    'content-type',
    'te',
    'trailer',
    'upgrade',
    'expect',
    'user-agent',
    'keep-alive',
    'connection',
    'proxy-connection',
    'transfer-encoding',
    'content-length',
    'http2-settings',
    'grpcgateway-user-agent',
    'host',
    ':path',
    'a b',
    'a\n',
    '',
  ])('a client cannot pass "%s" off as metadata', (name) => {
    const metadata = toMetadata({ [`grpc-metadata-${name}`]: 'forged' }, 'id');
    expect([...metadata.values()]).toEqual(['id']);
  });

  test('values that metadata cannot hold are left out', () => {
    const metadata = toMetadata({ 'grpc-metadata-a': 'ü', 'user-agent': 'ü', authorization: 'Bearer ü' }, 'id');
    expect([...metadata.keys()]).toEqual(['x-request-id']);
  });
});

describe('Grpc-Timeout', () => {
  test.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['10S', 10_000],
    ['99999999m', 99_999_999],
    ['500u', 0.5],
    ['1n', 1e-6],
    ['0S', 0],
  ])('%s is %d ms', (value, ms) => expect(toTimeoutMs(value)).toBeCloseTo(ms, 9));

  test.each(['', '1', 'S', '-1S', '1.5S', '1s', '123456789S', '1S ', '１S'])('"%s" is not a timeout', (value) =>
    expect(toTimeoutMs(value)).toBeNaN(),
  );

  test('may be absent', () => expect(toTimeoutMs(undefined)).toBeUndefined());
});
