import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Person, signIn } from '../../testing/clients/person.ts';
import { refusalOf, SocketClient, type SocketClientOptions } from '../../testing/clients/socket-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { makeTestCertificates } from '../../testing/services/certificates.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

const corsOrigin = 'https://app.example.com';
const publicUrl = 'https://chat.example.com:8443';
let service: TestService;
let alice: Person;
beforeAll(async () => {
  service = await startTestService({ CORS_ORIGINS: corsOrigin, PUBLIC_URL: publicUrl });
  alice = await signIn(service.transport(), 'alice');
});
afterAll(() => service.stop());

const connected = (options: SocketClientOptions) => SocketClient.connect(service.url, options);

test('a client that offers no encoding gets JSON', async () => {
  const client = await connected({ token: alice.token, protocols: [] });
  expect(client.socket.protocol).toBe('');
  expect(await client.ask(commands.ping())).toMatchObject({ $case: 'pong' });
});

describe('a handshake is refused', () => {
  test('for unknown encodings', async () => {
    for (const protocols of [['chat.v2.json'], ['graphql-ws', 'mqtt'], [`chat.v1.bearer.${alice.token}`]]) {
      const refusal = await refusalOf(service.url, { token: alice.token, protocols });
      expect(refusal).toMatchObject({ status: 400, type: 'application/json', body: { code: 3, details: [] } });
      expect(refusal.body.message).toContain('chat.v1.json or chat.v1.proto');
    }
  });

  test('at other paths', async () => {
    for (const path of ['/', '/v1/connect/', '/v1/chats', '/V1/connect', '//v1/connect', '/v1/%63onnect']) {
      expect(await refusalOf(service.url, { token: alice.token, path })).toMatchObject({
        status: 404,
        body: { code: 5, message: 'Not Found' },
      });
    }
  });

  test('from pages of other origins', async () => {
    const foreign = [
      'https://evil.example',
      'null',
      'http://app.example.com',
      `${corsOrigin}.evil.example`,
      'nonsense',
    ];
    for (const origin of foreign) {
      const refusal = await refusalOf(service.url, { token: alice.token, protocols: ['chat.v1.json'], origin });
      expect(refusal).toMatchObject({ status: 403, body: { code: 7 } });
    }
  });

  test('but not from pages of its own origin, of the public address or of configured origins, nor from programs', async () => {
    for (const origin of [service.url, publicUrl, corsOrigin, undefined]) {
      const client = await connected({ token: alice.token, ...(origin && { origin }) });
      client.socket.terminate();
    }
  });
});

test('an invalid request target does no harm', async () => {
  const { port, hostname } = new URL(service.url);
  for (const target of ['//', 'http://[', '*', '/%', '//:99999/v1/connect', 'http://:@/']) {
    const socket = connect(Number(port), hostname);
    socket.end(
      `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${btoa('0'.repeat(16))}\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 40[04] /);
    socket.destroy();
  }
  await connected({ token: alice.token });
});

test('a request without a WebSocket handshake is refused', async () => {
  const response = await fetch(`${service.url}/v1/connect`, { headers: { authorization: `Bearer ${alice.token}` } });
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
});

test('a request that offers an upgrade to HTTP/2 is answered over HTTP/1.1', async () => {
  const args = ['-s', '--http2', '-H', `Authorization: Bearer ${alice.token}`, `${service.url}/v1/chats`];
  const { stdout } = await promisify(execFile)('curl', args);
  expect(JSON.parse(stdout)).toMatchObject({ chats: [] });
});

test('the handshake works over TLS', async () => {
  const certificates = await makeTestCertificates();
  onTestFinished(() => certificates.remove());
  const secure = await startTestService(certificates.env);
  onTestFinished(() => secure.stop());
  const { token } = await issueToken(secure.dsn, { userId: 'bob' });
  for (const protocols of [['chat.v1.proto'], ['chat.v1.json', `chat.v1.bearer.${token}`]]) {
    const client = await SocketClient.connect(secure.url, { ...certificates.trusting, token, protocols });
    expect(await client.ask(commands.ping())).toMatchObject({ $case: 'pong' });
  }
  const path = '/v1/elsewhere';
  expect(await refusalOf(secure.url, { ...certificates.trusting, token, path })).toMatchObject({ status: 404 });
});
