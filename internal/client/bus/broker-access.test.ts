import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startNats, startRedis } from '../../servers/brokers.ts';
import { ServerProcess } from '../../servers/server-process.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { makeTestCertificates, type TestCertificates } from '../../testing/services/certificates.ts';
import { BrokerBus } from './broker-bus.ts';
import type { OpenLink } from './link.ts';
import { natsLink } from './nats-link.ts';
import { redisLink } from './redis-link.ts';

const password = 'p@ss/wörd';
const escaped = encodeURIComponent(password);
const common = { prefix: 'chat', timeoutMs: 2_000 };

let certificates: TestCertificates;
let ca: string;
const servers: ServerProcess[] = [];
const buses: BrokerBus[] = [];
beforeAll(async () => {
  certificates = await makeTestCertificates();
  ca = certificates.trusting.ca.toString();
});
afterEach(async () => {
  for (const bus of buses.splice(0)) await bus.close();
  for (const server of servers.splice(0)) await server.stop();
});
afterAll(() => certificates.remove());

async function connect(open: OpenLink) {
  const log = new LogLines();
  const bus = await BrokerBus.start({ open, log: log.logger }, { maxRetryMs: 100 });
  buses.push(bus);
  return { bus, log };
}

async function expectCarried(open: OpenLink): Promise<void> {
  const [{ bus: here }, { bus: there }] = [await connect(open), await connect(open)];
  expect([here.state, there.state]).toEqual(['connected', 'connected']);
  const chatId = randomUUID();
  const heard: unknown[] = [];
  await there.subscribeToChat(chatId, (publication) => heard.push(publication));
  here.publishToChat(chatId, { kind: 'head', seq: 1 });
  await eventually(() => expect(heard).toEqual([{ kind: 'head', seq: 1 }]));
}

/** Expects a logged reason that matches and does not contain the password. */
async function expectRefused(open: OpenLink, reason: RegExp): Promise<void> {
  const { bus, log } = await connect(open);
  expect(bus.state).toBe('away');
  const { err } = log.lines[0]!;
  expect((err as { message: string }).message).toMatch(reason);
  expect(JSON.stringify(log.lines)).not.toContain('guessed');
}

async function started(server: Promise<ServerProcess>): Promise<number> {
  servers.push(await server);
  return servers.at(-1)!.port;
}

describe('NATS', () => {
  const link = (url: string, authorities?: string) => natsLink({ url, ca: authorities, ...common });

  test('takes user and password from the address, and refuses a wrong one', async () => {
    const port = await started(startNats(['--user', 'chat', '--pass', password]));
    await expectCarried(link(`nats://chat:${escaped}@127.0.0.1:${port}`));
    await expectRefused(link(`nats://chat:guessed@127.0.0.1:${port}`), /authorization/i);
  });

  test('takes a token in place of the user', async () => {
    const port = await started(startNats(['--auth', password]));
    await expectCarried(link(`nats://${escaped}@127.0.0.1:${port}`));
  });

  test('is reached by TLS if its certificate is from the authority, and not otherwise', async () => {
    const { serverCert, serverKey } = certificates;
    const port = await started(startNats(['--tls', '--tlscert', serverCert, '--tlskey', serverKey]));
    await expectCarried(link(`tls://localhost:${port}`, ca));
    await expectRefused(link(`tls://localhost:${port}`), /certificate|issuer/i);
  });

  test('is not used in plain text if the address says TLS', async () => {
    const port = await started(startNats());
    await expectRefused(link(`tls://127.0.0.1:${port}`, ca), /tls/i);
  });
});

describe('Redis', () => {
  const link = (url: string, authorities?: string) => redisLink({ url, ca: authorities, ...common });

  test('takes user and password from the address, and refuses a wrong one', async () => {
    const port = await started(startRedis(['--requirepass', password]));
    await expectCarried(link(`redis://:${escaped}@127.0.0.1:${port}`));
    await expectCarried(link(`redis://default:${escaped}@127.0.0.1:${port}`));
    await expectRefused(link(`redis://default:guessed@127.0.0.1:${port}`), /WRONGPASS/);
    await expectRefused(link(`redis://127.0.0.1:${port}`), /NOAUTH/);
  });

  test('is reached by TLS if its certificate is from the authority, and not otherwise', async () => {
    const { serverCert, serverKey, ca: caFile } = certificates;
    const files = ['--tls-cert-file', serverCert, '--tls-key-file', serverKey, '--tls-ca-cert-file', caFile];
    const port = await started(
      ServerProcess.start({
        program: 'redis-server',
        args: (own, folder) => [
          ...['--bind', '127.0.0.1', '--port', '0', '--tls-port', `${own}`, '--tls-auth-clients', 'no'],
          ...['--dir', folder, '--save', '', ...files],
        ],
      }),
    );
    await expectCarried(link(`rediss://localhost:${port}`, ca));
    await expectRefused(link(`rediss://localhost:${port}`), /certificate|issuer/i);
  });

  test('works as a node of a cluster', async () => {
    const port = await started(startRedis(['--cluster-enabled', 'yes']));
    await expectCarried(link(`redis://127.0.0.1:${port}`));
  });
});

test('an unreachable server is logged with the reason', async () => {
  await expectRefused(natsLink({ url: 'nats://127.0.0.1:1', ...common }), /refused/);
  await expectRefused(redisLink({ url: 'redis://127.0.0.1:1', ...common }), /ECONNREFUSED/);
});

test('services with different prefixes on one broker do not receive each other’s messages', async () => {
  const nats = await started(startNats());
  const redis = await started(startRedis());
  const opens = (prefix: string) => [
    natsLink({ url: `nats://127.0.0.1:${nats}`, ...common, prefix }),
    redisLink({ url: `redis://127.0.0.1:${redis}`, ...common, prefix }),
  ];
  for (const [i, open] of opens('one').entries()) {
    const [{ bus: here }, { bus: there }, { bus: other }] = [
      await connect(open),
      await connect(open),
      await connect(opens('two')[i]!),
    ];
    const heard: string[] = [];
    await there.subscribeToMemberships('alice', () => heard.push('there'));
    await other.subscribeToMemberships('alice', () => heard.push('other'));
    here.publishMembershipChange(['alice']);
    await eventually(() => expect(heard).toContain('there'));
    expect(heard).toEqual(['there']);
  }
});
