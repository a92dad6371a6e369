import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificates } from '../../../cmd/gen-cert/make-certificates.ts';
import { grpcTransport, type TlsOptions } from '../../../pkg/chat-client/grpc.ts';
import { startGateway } from '../../app/start-gateway.ts';
import { readConfig } from '../../config/config.ts';
import { readGatewayConfig } from '../../config/gateway-config.ts';
import { LiveConfig } from '../../config/live/live-config.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { makeTestCertificates, type TestCertificates } from '../../testing/services/certificates.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { CertificateFiles } from '../../transport/tls/certificate-files.ts';

let certificates: TestCertificates;
let service: TestService;
const log = new LogLines();
beforeAll(async () => {
  certificates = await makeTestCertificates();
  service = await startTestService(certificates.env, { log: log.logger });
});
afterAll(async () => {
  await service.stop();
  await certificates.remove();
});

function open(address: string, tls?: TlsOptions) {
  const transport = grpcTransport(address, {
    tls: tls ?? false,
    channelOptions: { 'grpc.use_local_subchannel_pool': 1 },
  });
  onTestFinished(() => transport.close());
  return transport;
}

/** Returns the status of `GET /healthz`. */
function getHealth(url: string, tls: TlsOptions): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${url}/healthz`, { ...tls, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

/** Returns the serial number of the certificate that a server presents to a new connection. */
function serialAt(address: string): Promise<string> {
  const { hostname, port } = new URL(`tls://${address}`);
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: hostname,
      port: Number(port),
      ca: certificates.trusting.ca,
      servername: 'localhost',
    });
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()!.serialNumber);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

const serialOf = async (file: string) => new X509Certificate(await readFile(file)).serialNumber;

describe('TLS', () => {
  test.each(['127.0.0.1', 'localhost'])(
    'a client that trusts the certificate authority can connect, at %s',
    async (host) => {
      const address = service.address.replace('127.0.0.1', host);
      const alice = await signIn(open(address, certificates.trusting), 'alice');
      const group = await newGroup(alice);
      const stream = await alice.connect();
      await stream.ask(commands.subscribe(group.id, 0));
      await say(alice, group, 'hello');
      await stream.until(() => stream.messages(group.id).length === 2);
      expect(await getHealth(service.url.replace('127.0.0.1', host), certificates.trusting)).toBe(200);
    },
  );

  test('a client that does not trust it, or uses plain text, cannot connect', async () => {
    const guest = (tls?: TlsOptions) => open(service.address, tls).auth.guest({ name: 'x' }, {});
    await expect(guest({})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(guest()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(getHealth(service.url, {})).rejects.toThrow(/certificate/);
    await expect(fetch(`${service.url.replace('https', 'http')}/healthz`)).rejects.toThrow();
  });

  test('a certificate of the right authority for another address is refused', async () => {
    const elsewhere = await startTestService({ ...certificates.env, HOST: '127.0.0.2' });
    onTestFinished(() => elsewhere.stop());
    const transport = open(`127.0.0.2:${elsewhere.app.grpcPort}`, certificates.trusting);
    await expect(transport.auth.guest({ name: 'x' }, {})).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('127.0.0.2'),
    });
  });
});

describe('mutual TLS', () => {
  test('only clients with a certificate of the authority can connect', async () => {
    const mutual = await startTestService({ ...certificates.env, TLS_CLIENT_CA: certificates.ca });
    onTestFinished(() => mutual.stop());
    const guest = (tls: TlsOptions) => open(mutual.address, tls).auth.guest({ name: 'x' }, {});
    expect(await guest(certificates.showing)).toMatchObject({ userId: 'guest:x' });
    expect(await getHealth(mutual.url, certificates.showing)).toBe(200);

    const stranger = await makeTestCertificates();
    onTestFinished(() => stranger.remove());
    for (const tls of [certificates.trusting, { ...stranger.showing, ca: certificates.trusting.ca }]) {
      await expect(guest(tls)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(getHealth(mutual.url, tls)).rejects.toThrow();
    }
  });

  test('a separate gateway presents its certificate to the services', async () => {
    const mutual = await startTestService({ ...certificates.env, TLS_CLIENT_CA: certificates.ca, GATEWAY: 'false' });
    onTestFinished(() => mutual.stop());
    const upstream = {
      HTTP_PORT: '0',
      ADMIN: 'false',
      GATEWAY_UPSTREAMS: mutual.address,
      GATEWAY_UPSTREAM_NAME: 'localhost',
      GATEWAY_UPSTREAM_CA: certificates.ca,
    };
    const shown = { GATEWAY_UPSTREAM_CERT: certificates.clientCert, GATEWAY_UPSTREAM_KEY: certificates.clientKey };
    const statusVia = async (env: Record<string, string>) => {
      const gateway = await startGateway(new LiveConfig(readGatewayConfig(env)), pino({ level: 'silent' }));
      onTestFinished(() => gateway.stop());
      return (await fetch(`http://127.0.0.1:${gateway.httpPort}/v1/rooms`)).status;
    };
    expect(await statusVia({ ...upstream, ...shown })).toBe(401);
    expect(await statusVia(upstream)).toBe(503);
  });
});

describe('certificates that change', () => {
  test('new connections get the new one, and open streams continue', async () => {
    const alice = await signIn(open(service.address, certificates.trusting), 'alice');
    const group = await newGroup(alice);
    const stream = await alice.connect();
    await stream.ask(commands.subscribe(group.id, 0));
    const https = service.url.replace('https://', '');
    const before = await serialOf(certificates.serverCert);
    expect([await serialAt(service.address), await serialAt(https)]).toEqual([before, before]);

    await makeCertificates(certificates.folder);

    const after = await serialOf(certificates.serverCert);
    expect(after).not.toBe(before);
    await eventually(async () => {
      expect([await serialAt(service.address), await serialAt(https)]).toEqual([after, after]);
    });
    await say(alice, group, 'still here');
    await stream.until(() => stream.messages(group.id).length === 2);
    expect(stream.events.filter(({ $case }) => $case === 'closing')).toEqual([]);
  });

  test('files that do not fit together are logged once and not used', async () => {
    const before = await serialAt(service.address);
    const kept = { cert: await readFile(certificates.serverCert), key: await readFile(certificates.serverKey) };
    const faults = () => log.lines.filter(({ msg }) => msg === 'keeping the current TLS certificate');

    await copyFile(certificates.clientCert, certificates.serverCert); // whose key is another
    await eventually(() => expect(faults()).toHaveLength(1));
    await writeFile(certificates.serverKey, 'half a k');
    await writeFile(certificates.serverCert, '-----BEGIN CERT');
    await eventually(() => expect(faults()).toHaveLength(2));
    expect(await serialAt(service.address)).toBe(before);
    expect(await getHealth(service.url, certificates.trusting)).toBe(200);

    await writeFile(certificates.serverKey, kept.key);
    await writeFile(certificates.serverCert, kept.cert);
    await makeCertificates(certificates.folder);
    const after = await serialOf(certificates.serverCert);
    await eventually(async () => expect(await serialAt(service.address)).toBe(after));
  });
});

test('certificates are read at once when the settings are read again', async () => {
  const own = await makeTestCertificates();
  onTestFinished(() => own.remove());
  const tls = readConfig(own.env).tls!;
  const files = await CertificateFiles.open(tls, { log: pino({ level: 'silent' }) }, { pollMs: 3_600_000 });
  onTestFinished(() => files.close());
  const renewed = new Promise((resolve) => files.onChange(resolve));
  await makeCertificates(own.folder);
  await files.look();
  expect(await renewed).toMatchObject({ cert: await readFile(own.serverCert) });
});

test('the health check of containers is answered over TLS, and over mutual TLS with a certificate', async () => {
  const mutual = await startTestService({ ...certificates.env, TLS_CLIENT_CA: certificates.ca });
  onTestFinished(() => mutual.stop());
  const check = (port: number, env: Record<string, string> = {}) =>
    new Promise<number>((resolve) => {
      const main = fileURLToPath(new URL('../../../cmd/health/main.ts', import.meta.url));
      const variables = { ...certificates.env, GRPC_PORT: String(port), ...env };
      execFile(process.execPath, [main], { env: variables }, (error) => resolve(error ? Number(error.code) : 0));
    });
  const shown = { GATEWAY_UPSTREAM_CERT: certificates.clientCert, GATEWAY_UPSTREAM_KEY: certificates.clientKey };
  expect(await check(service.app.grpcPort)).toBe(0);
  expect(await check(mutual.app.grpcPort, shown)).toBe(0);
  expect(await check(mutual.app.grpcPort)).toBe(1);
});

test.each([
  [{ TLS_CERT: '/nowhere.crt' }, /^TLS_CERT: cannot read \/nowhere\.crt \(ENOENT\)$/],
  [{ TLS_CERT: 'package.json' }, /^TLS_CERT: package\.json is not a certificate in PEM$/],
  [{ TLS_KEY: 'package.json' }, /^TLS_KEY \(package\.json\) is not the private key of TLS_CERT/],
])('a service with %j does not start, and names the fault', async (env, message) => {
  await expect(startTestService({ ...certificates.env, ...env })).rejects.toThrow(message);
});
