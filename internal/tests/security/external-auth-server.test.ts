import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newRoom, type Person, personOf, say, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

/** An auth-server as a chat service sees it: serves its keys and the list of ended sessions. */
class AuthServer {
  readonly ended: string[] = [];
  readonly #key: CryptoKey;
  readonly #jwk: JWK;
  #server: Server | undefined;
  #port = 0;

  private constructor(key: CryptoKey, jwk: JWK) {
    this.#key = key;
    this.#jwk = jwk;
  }

  static async start(): Promise<AuthServer> {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'EdDSA', use: 'sig' };
    const started = new AuthServer(privateKey, jwk);
    await started.listen();
    return started;
  }

  get env(): Record<string, string> {
    const url = `http://127.0.0.1:${this.#port}`;
    return {
      AUTH_JWKS_URL: `${url}/.well-known/jwks.json`,
      AUTH_REVOCATIONS_URL: `${url}/v1/auth/revocations`,
      AUTH_ISSUER: 'auth-server',
      AUTH_AUDIENCE: 'chat',
      AUTH_ALGORITHMS: 'EdDSA',
    };
  }

  async listen(): Promise<void> {
    this.#server = createServer(({ url = '' }, response) => {
      const { pathname, searchParams } = new URL(url, 'http://x');
      const from = Number(searchParams.get('cursor') ?? 0);
      const revocations = { sessionIds: this.ended.slice(from), cursor: `${this.ended.length}` };
      response.end(JSON.stringify(pathname.endsWith('jwks.json') ? { keys: [this.#jwk] } : revocations));
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  async person(service: TestService, id: string, sid?: string): Promise<Person> {
    const token = await new SignJWT({ name: id, roles: ['user'], sid })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'k', typ: 'JWT' })
      .setIssuer('auth-server')
      .setAudience('chat')
      .setSubject(id)
      .setIssuedAt()
      .setExpirationTime('15m')
      .sign(this.#key);
    return personOf(service.transport(), { id, name: id, token });
  }
}

let authServer: AuthServer;
let service: TestService | undefined;
beforeEach(async () => {
  authServer = await AuthServer.start();
});
afterEach(async () => {
  await service?.stop();
  service = undefined;
  await authServer.close();
});

test('a service without accounts ends the streams of sessions that end at the auth-server', async () => {
  authServer.ended.push('long ago');
  service = await startTestService(authServer.env);
  const phone = await authServer.person(service, 'alice', 'phone');
  const desk = await authServer.person(service, 'alice', 'desk');
  const room = await newRoom(phone);
  const streams = await Promise.all([phone.connect(), desk.connect()]);
  for (const stream of streams) await stream.ask(commands.subscribe(room.id));
  await expect((await authServer.person(service, 'bob', 'long ago')).chat.listChats({})).rejects.toMatchObject({
    reason: 'SESSION_REVOKED',
  });

  authServer.ended.push('phone');

  expect(await streams[0]?.ended).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'SESSION_REVOKED' });
  await expect(phone.chat.listChats({})).rejects.toMatchObject({ reason: 'SESSION_REVOKED' });
  await say(desk, room, 'still here');
  await streams[1]?.until(() => streams[1]!.messages(room.id).length === 1);
  expect(streams[0]?.messages(room.id)).toEqual([]);
  streams[1]?.close();
});

test('a service with an auth-server refuses its own earlier tokens, and all logins', async () => {
  const before = await startTestService();
  const old = await signIn(before.transport(), 'old');
  await before.stop();
  service = await startTestService(authServer.env, { dsn: before.dsn });
  const again = personOf(service.transport(), old);
  await expect(again.chat.listChats({})).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
  await expect(signIn(service.transport(), 'new')).rejects.toMatchObject({ reason: 'ACCOUNTS_ELSEWHERE' });
});

test('while the auth-server is unreachable, calls and streams continue; sessions that ended meanwhile end afterwards', async () => {
  service = await startTestService(authServer.env);
  const alice = await authServer.person(service, 'alice', 's');
  const stream = await alice.connect();
  await authServer.close();
  authServer.ended.push('s');
  await alice.chat.listChats({});
  expect(await stream.ask(commands.ping())).toMatchObject({ $case: 'pong' });
  await authServer.listen();
  expect(await stream.ended).toMatchObject({ reason: 'SESSION_REVOKED' });
});

test('a service that cannot read the ended sessions exits with the reason', async () => {
  await authServer.close();
  const error = await startTestService(authServer.env).catch((error) => error);
  expect(String(error)).toMatch(/cannot read the ended sessions: .*ECONNREFUSED/);
  await authServer.listen();
  await eventually(async () => {
    service = await startTestService(authServer.env);
  });
});
