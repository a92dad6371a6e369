import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { jwtLifeMs } from '../../../pkg/chat-client/auth/jwt-life.ts';
import {
  accessToken,
  ChatClient,
  type Token,
  type Transport,
  webSocketTransport,
} from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

/** Connects a client whose clock seems to be `aheadMs` ahead: its tokens' expiry times are shifted. */
async function clientWithClock(aheadMs: number) {
  const name = uniqueName('user');
  let asked = 0;
  const source = accessToken(async (): Promise<Token> => {
    asked += 1;
    const { accessToken: token, expiresAt } = await real.auth.guest({ name }, {});
    return { token, expiresAt: new Date(expiresAt!.getTime() - aheadMs) };
  });
  const real = webSocketTransport(service.url);
  let renewed = 0;
  const transport: Transport = {
    ...real,
    connect(token, signal) {
      const stream = real.connect(token, signal);
      return {
        frames: stream.frames,
        send(command) {
          if (command.command?.$case === 'authenticate') renewed += 1;
          stream.send(command);
        },
      };
    },
  };
  const client = new ChatClient({ transport, token: source });
  onTestFinished(() => client.close());
  await client.connect();
  return { client, asked: () => asked, renewed: () => renewed };
}

test('a client whose clock makes every token look expired asks for few tokens', async () => {
  const { client, asked, renewed } = await clientWithClock(3_600_000);
  await eventually(() => expect(renewed()).toBe(1));
  const room = await client.joinRoom(uniqueName('room'));
  for (let i = 0; i < 20; i += 1) {
    await client.send(room.id, `${i}`);
    await client.history(room.id);
  }
  expect([asked(), renewed()]).toEqual([2, 1]);
  expect(client.state.kind).toBe('online');
});

test('a token that is valid for longer than the longest timer is not renewed repeatedly', async () => {
  const warnings: string[] = [];
  const note = ({ name }: Error) => void warnings.push(name);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  const { client, asked, renewed } = await clientWithClock(-60 * 86_400_000);
  const room = await client.joinRoom(uniqueName('room'));
  for (let i = 0; i < 20; i += 1) await client.send(room.id, `${i}`);
  expect([asked(), renewed()]).toEqual([1, 0]);
  // Node warns so when it shortens a timer that is too long.
  expect(warnings).not.toContain('TimeoutOverflowWarning');
});

test('close does not wait for the token source, and aborts its signal', async () => {
  const asked = Promise.withResolvers<AbortSignal>();
  const source = accessToken((signal) => {
    asked.resolve(signal);
    return new Promise(() => {});
  });
  const client = new ChatClient({ transport: webSocketTransport(service.url), token: source });
  const connecting = client.connect();
  const calling = client.chats();
  const signal = await asked.promise;
  expect(signal.aborted).toBe(false);
  const closing = client.close();
  await expect(connecting).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(calling).rejects.toMatchObject({ code: 'CANCELLED' });
  await closing;
  expect(signal.aborted).toBe(true);
});

test('jwtLifeMs returns the lifetime of a JWT, and undefined for another token', () => {
  const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
  expect(jwtLifeMs(jwt({ sub: 'zoë ÿÿ>>??', iat: 1_000, exp: 1_900 }))).toBe(900_000);
  for (const token of [
    '',
    'opaque',
    'a.b.c',
    jwt({ exp: 1_900 }),
    jwt({ iat: 5, exp: 5 }),
    jwt({ iat: '1', exp: 2 }),
  ]) {
    expect(jwtLifeMs(token), token).toBeUndefined();
  }
});
