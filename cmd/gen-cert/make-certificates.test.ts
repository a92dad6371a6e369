import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { makeCertificates } from './make-certificates.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-gen-cert-'));
});
afterAll(() => rm(folder, { recursive: true }));

const read = async (file: string) => new X509Certificate(await readFile(file));

test('the authority signs a certificate for a server and one for a client, and is used for nothing else', async () => {
  const set = await makeCertificates(join(folder, 'a'), { hosts: ['chat.example.com', '10.0.0.5'] });
  const [ca, server, client] = await Promise.all([set.ca, set.serverCert, set.clientCert].map(read));
  expect([ca!.ca, server!.ca, client!.ca]).toEqual([true, false, false]);
  for (const leaf of [server!, client!]) {
    expect(leaf.checkIssued(ca!)).toBe(true);
    expect(leaf.verify(ca!.publicKey)).toBe(true);
    expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBeLessThanOrEqual(398 * 86_400_000);
  }
  expect(server!.subjectAltName).toBe(
    'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:chat.example.com, IP Address:10.0.0.5',
  );
  expect(server!.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(client!.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(new Set([ca!, server!, client!].map(({ serialNumber }) => serialNumber)).size).toBe(3);
});

test('keys can be read by their owner only', async () => {
  const { caKey, serverKey, clientKey } = await makeCertificates(join(folder, 'b'));
  for (const file of [caKey, serverKey, clientKey]) expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('an authority that is there is kept and its certificates are renewed, unless all is to be new', async () => {
  const first = await makeCertificates(join(folder, 'c'));
  const [ca, server] = [await read(first.ca), await read(first.serverCert)];
  const second = await makeCertificates(join(folder, 'c'));
  expect([first.newAuthority, second.newAuthority]).toEqual([true, false]);
  expect((await read(second.ca)).serialNumber).toBe(ca.serialNumber);
  expect((await read(second.serverCert)).serialNumber).not.toBe(server.serialNumber);
  expect((await read(second.serverCert)).verify(ca.publicKey)).toBe(true);
  const third = await makeCertificates(join(folder, 'c'), { force: true });
  expect((await read(third.ca)).serialNumber).not.toBe(ca.serialNumber);
});

test.each(['localhost', '127.0.0.1', '::1'])(
  'a client that trusts the authority reaches a server at %s',
  async (host) => {
    const set = await makeCertificates(join(folder, 'd'));
    const server = createServer(
      { cert: await readFile(set.serverCert), key: await readFile(set.serverKey) },
      (socket) => socket.end('hello'),
    );
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const socket = connect({ host, port, ca: await readFile(set.ca) });
    const text = await new Promise<string>((resolve, reject) => {
      socket.on('data', (data) => resolve(data.toString())).on('error', reject);
    });
    expect([text, socket.authorized]).toEqual(['hello', true]);
    socket.destroy();
  },
);
