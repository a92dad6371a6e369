import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

const login = {
  ':method': 'POST',
  ':path': '/auth.v1.AuthService/Login',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** Opens an HTTP/2 connection whose client takes the server to allow any number of streams until the server says otherwise. */
function open(): ClientHttp2Session {
  const session = connect(`http://${service.address}`, { peerMaxConcurrentStreams: 1_000_000 });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return session;
}

test('a connection is told that it may have 256 streams', async () => {
  const session = open();
  await eventually(() => expect(session.remoteSettings?.maxConcurrentStreams).toBe(256));
});

test('a connection with thousands of calls that never end costs as much as 256 of them, and disturbs nobody', async () => {
  const session = open();
  await new Promise((resolve) => session.once('connect', resolve));
  const opened = 5_000;
  let refused = 0;
  // All are sent before the client has read the server's settings.
  for (let i = 0; i < opened; i += 1) {
    const call = session.request(login);
    call.on('error', () => {});
    call.once('close', () => {
      if (call.rstCode !== constants.NGHTTP2_NO_ERROR) refused += 1;
    });
  }
  await eventually(() => expect(refused).toBeGreaterThanOrEqual(opened - 256));
  const alice = await signIn(service.transport(), 'alice');
  await expect(alice.chat.listChats({})).resolves.toMatchObject({ chats: [] });
});
