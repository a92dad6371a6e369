import { expect, test } from 'vitest';
import { readArgs } from './args.ts';

test('everything but the name has a default', () => {
  const options = { user: undefined, address: '127.0.0.1:50051', room: 'global', tls: undefined };
  expect(readArgs([], {})).toEqual({ kind: 'run', options });
});

test('options are taken from the command line before the environment', () => {
  expect(readArgs(['--user', 'alice', '--room=dev', '--addr', 'chat:1'], { CHAT_ADDR: 'other:2' })).toEqual({
    kind: 'run',
    options: { user: 'alice', address: 'chat:1', room: 'dev', tls: undefined },
  });
  expect(readArgs(['--user=alice'], { CHAT_ADDR: 'other:2' })).toMatchObject({ options: { address: 'other:2' } });
});

test.each(['localhost:50051', '10.0.0.1:1', '[::1]:65535'])('%s is an address', (address) => {
  expect(readArgs(['--addr', address], {})).toMatchObject({ kind: 'run', options: { address } });
});

test.each(['localhost', ':50051', 'host:0', 'host:65536', '::1:50051', 'http://host:1', 'a b:1'])(
  '%s is not an address',
  (address) => {
    expect(readArgs(['--addr', address], {})).toEqual({
      kind: 'error',
      message: `the address must be host:port, not "${address}"`,
    });
  },
);

test.each([
  [['--nope'], "unknown option '--nope'"],
  [['--user'], "option '--user <value>' argument missing"],
  [['alice'], "unexpected argument 'alice'"],
])('%j is a fault, told on one line', (argv, message) => {
  const args = readArgs(argv, {});
  expect(args).toMatchObject({ kind: 'error', message: expect.stringContaining(message) });
  expect(args).not.toMatchObject({ message: expect.stringContaining('\n') });
});

test('TLS is asked for by itself or by its files', () => {
  const none = { ca: undefined, cert: undefined, key: undefined };
  expect(readArgs(['--tls'], {})).toMatchObject({ options: { tls: none } });
  expect(readArgs(['--tls-ca', 'ca.crt'], {})).toMatchObject({ options: { tls: { ...none, ca: 'ca.crt' } } });
  expect(readArgs(['--tls-cert', 'c', '--tls-key', 'k'], {})).toMatchObject({
    options: { tls: { cert: 'c', key: 'k' } },
  });
  expect(readArgs(['--tls-cert', 'c'], {})).toEqual({
    kind: 'error',
    message: '--tls-cert and --tls-key must be given together',
  });
});

test('help can be asked for', () => {
  expect(readArgs(['--help'], {})).toEqual({ kind: 'help' });
});
