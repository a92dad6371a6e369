import { expect, test } from 'vitest';
import { subcommands } from '../subcommands/index.ts';
import { readArgs } from './args.ts';
import { usage } from './usage.ts';

const home = { HOME: '/home/alice' };
const sessionFile = '/home/alice/.config/chat-service/session.json';

test('everything has a default', () => {
  const options = {
    transport: 'grpc',
    user: undefined,
    address: '127.0.0.1:50051',
    room: 'global',
    tls: undefined,
    sessionFile,
    sessionKey: 'grpc://127.0.0.1:50051',
  };
  expect(readArgs([], home)).toEqual({ kind: 'run', options });
  expect(readArgs(['--transport', 'ws'], home)).toEqual({
    kind: 'run',
    options: { ...options, transport: 'ws', address: '127.0.0.1:8080', sessionKey: 'http://127.0.0.1:8080' },
  });
});

test('options are taken from the command line before the environment', () => {
  const env = { ...home, CHAT_ADDR: 'other:2', CHAT_SESSION: '/s', CHAT_TRANSPORT: 'ws' };
  expect(
    readArgs(['--user', 'alice', '--room=dev', '--addr', 'chat:1', '--session', 'f', '--transport', 'grpc'], env),
  ).toMatchObject({
    options: { user: 'alice', address: 'chat:1', room: 'dev', sessionFile: 'f', transport: 'grpc' },
  });
  expect(readArgs([], env)).toMatchObject({ options: { address: 'other:2', sessionFile: '/s', transport: 'ws' } });
  expect(readArgs([], { XDG_CONFIG_HOME: '/c' })).toMatchObject({
    options: { sessionFile: '/c/chat-service/session.json' },
  });
});

test.each(['https://chat.example.com', 'ws://localhost:8080', 'localhost:8080'])(
  '%s is an address for ws',
  (address) => {
    expect(readArgs(['--transport', 'ws', '--addr', address], home)).toMatchObject({ options: { address } });
  },
);

test.each(['localhost:50051', '10.0.0.1:1', '[::1]:65535'])('%s is an address', (address) => {
  expect(readArgs(['--addr', address], {})).toMatchObject({ kind: 'run', options: { address } });
});

test.each(['localhost', ':50051', 'host:0', 'host:65536', '::1:50051', 'http://host:1', 'a b:1'])(
  '%s is not an address',
  (address) => {
    expect(readArgs(['--addr', address], {})).toMatchObject({
      kind: 'error',
      message: `the address must be host:port, not "${address}"`,
    });
  },
);

test.each([
  [['--nope'], "unknown option '--nope'"],
  [['--user'], "option '--user <value>' argument missing"],
  [['alice'], "unexpected argument 'alice'"],
  [['--transport', 'smoke'], 'the transport must be grpc or ws, not "smoke"'],
  [['--transport', 'ws', '--addr', 'ftp://x'], 'host:port or an http(s) URL'],
  [['send-message'], 'send-message needs CHAT [TEXT]'],
  [['delete-chat', 'a', 'b'], "unexpected argument 'b'"],
  [['whoami', '--room', 'x'], "unknown option '--room'"],
])('%j is a fault, reported on one line', (argv, message) => {
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
  expect(readArgs(['--tls-cert', 'c'], {})).toMatchObject({
    kind: 'error',
    message: '--tls-cert and --tls-key must be given together',
  });
});

test('a sub-command has its own options and arguments, and those of the service', () => {
  const args = readArgs(['send-message', 'dev', 'Hi', '--id', '7', '--json', '--addr', 'chat:1'], home);
  expect(args).toMatchObject({
    kind: 'subcommand',
    subcommand: { name: 'send-message' },
    options: { positionals: ['dev', 'Hi'], values: { id: '7' }, json: true, address: 'chat:1', user: undefined },
  });
});

test('the program and each sub-command have a help text', () => {
  expect(readArgs(['--help'], {})).toMatchObject({ kind: 'help', text: expect.stringContaining('Exit codes') });
  for (const { name, parameters } of subcommands) {
    const text = expect.stringContaining(`Usage: chat ${`${name} ${parameters}`.trim()}`);
    expect(readArgs([name, '--help'], {})).toMatchObject({ kind: 'help', text });
    expect(usage).toContain(`  ${name}`);
  }
});
