import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, signIn } from '../../testing/clients/person.ts';
import { SocketClient, type SocketClientOptions } from '../../testing/clients/socket-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

let service: TestService;
let alice: Person;
beforeAll(async () => {
  service = await startTestService();
  alice = await signIn(service.transport(), 'alice');
});
afterAll(() => service.stop());

const connected = (options: SocketClientOptions) => SocketClient.connect(service.url, options);

describe('a token is accepted', () => {
  test.each(['chat.v1.json', 'chat.v1.proto'])('in the header, with %s', async (protocol) => {
    const client = await connected({ token: alice.token, protocols: [protocol] });
    expect(client.socket.protocol).toBe(protocol);
    expect((await client.nextOf('welcome')).user).toEqual({ id: alice.id, name: alice.name });
    expect(await client.ask(commands.ping())).toMatchObject({ $case: 'pong' });
  });

  test.each(['chat.v1.json', 'chat.v1.proto'])(
    'as a second sub-protocol beside %s, of which the service selects only the latter',
    async (protocol) => {
      const client = await connected({ protocols: [protocol, `chat.v1.bearer.${alice.token}`] });
      expect(client.socket.protocol).toBe(protocol);
      expect((await client.nextOf('welcome')).user?.id).toBe(alice.id);
    },
  );

  test('as a sub-protocol before the encoding', async () => {
    const socket = new SocketClient(service.url, { protocols: [`chat.v1.bearer.${alice.token}`, 'chat.v1.json'] });
    expect((await socket.nextOf('welcome')).user?.id).toBe(alice.id);
    expect(socket.socket.protocol).toBe('chat.v1.json');
  });

  test.each(['chat.v1.json', 'chat.v1.proto'])('with the first command, with %s', async (protocol) => {
    const client = await new SocketClient(service.url, { protocols: [protocol] }).opened();
    const [first, second] = client.send(commands.authenticate(alice.token), commands.ping());
    expect(await client.nextOf('accepted')).toMatchObject({ commandId: first });
    expect(await client.nextOf('pong')).toEqual({ commandId: second });
    expect(client.events[0]).toMatchObject({ $case: 'welcome', value: { user: { id: alice.id } } });
  });

  test('but not in the URL', async () => {
    const query = `?access_token=${alice.token}&token=${alice.token}&authorization=Bearer%20${alice.token}`;
    const client = await new SocketClient(service.url, { path: `/v1/connect${query}` }).opened();
    client.send(commands.ping());
    expect(await client.closed).toEqual({ code: 4401, reason: 'TOKEN_MISSING' });
    expect(client.events).toEqual([]);
  });

  test('but not in a cookie, which a browser would send for any page', async () => {
    const headers = { cookie: `chat_token=${alice.token}` };
    const client = await new SocketClient(service.url, { headers }).opened();
    client.send(commands.ping());
    expect(await client.closed).toEqual({ code: 4401, reason: 'TOKEN_MISSING' });
  });
});

describe('a socket is closed', () => {
  test('that has no token and sends nothing for five seconds', async () => {
    const client = await new SocketClient(service.url).opened();
    const since = performance.now();
    expect(await client.closed).toEqual({ code: 4401, reason: 'TOKEN_MISSING' });
    expect(performance.now() - since).toBeGreaterThan(4_500);
    expect(client.events).toEqual([]);
    expect(service.app.sessions.size).toBe(0);
  });

  test('whose first command is not authenticate', async () => {
    const client = await new SocketClient(service.url).opened();
    client.send(commands.ping(), commands.authenticate(alice.token));
    expect(await client.closed).toEqual({ code: 4401, reason: 'TOKEN_MISSING' });
  });

  test('whose first frame cannot be decoded', async () => {
    const client = await new SocketClient(service.url).opened();
    client.socket.send('nonsense');
    expect(await client.closed).toEqual({ code: 4400, reason: 'MALFORMED_FRAME' });
  });

  test.each([
    ['many commands', `{"commands":[${Array(30_000).fill('0')}]}`],
    ['many bytes', `{"commands":[{"ping":{}}],"padding":"${'x'.repeat(65_536)}"}`],
  ])('whose first frame has too %s, before it is decoded', async (_, frame) => {
    const client = await new SocketClient(service.url).opened();
    client.socket.send(frame);
    expect(await client.closed).toEqual({ code: 4429, reason: 'FRAME_LIMIT' });
  });

  const wayIn: [string, (token: string) => Promise<SocketClient>][] = [
    ['header', async (token) => new SocketClient(service.url, { token })],
    [
      'sub-protocol',
      async (token) => new SocketClient(service.url, { protocols: ['chat.v1.json', `chat.v1.bearer.${token}`] }),
    ],
    [
      'first command',
      async (token) => {
        const client = await new SocketClient(service.url).opened();
        client.send(commands.authenticate(token));
        return client;
      },
    ],
  ];

  test.each(wayIn)('whose token in the %s is invalid', async (_, open) => {
    for (const token of ['nonsense', `${alice.token.slice(0, -8)}AAAAAAAA`]) {
      const client = await open(token);
      expect(await client.closed).toEqual({ code: 4401, reason: 'TOKEN_INVALID' });
      expect(client.events).toEqual([]);
    }
  });

  test.each(wayIn)('whose token in the %s has expired', async (_, open) => {
    const { token } = await issueToken(service.dsn, { userId: alice.id }, { ttlMs: -60_000 });
    expect(await (await open(token)).closed).toEqual({ code: 4401, reason: 'TOKEN_EXPIRED' });
  });

  test.each(wayIn)('of a banned user with a token in the %s', async (_, open) => {
    const eve = await signIn(service.transport(), 'eve');
    const { token } = await issueToken(service.dsn, { userId: 'root', roles: ['admin'] });
    await service.transport().chat.banUser({ userId: eve.id }, { token });
    expect(await (await open(eve.token)).closed).toEqual({ code: 4403, reason: 'BANNED' });
  });
});
