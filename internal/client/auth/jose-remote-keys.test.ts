import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../../testing/eventually.ts';
import { createRemoteKeys, type JoseRemoteKeysOptions } from './jose-remote-keys.ts';
import { JoseTokenVerifier } from './jose-token-verifier.ts';

let provider: Provider | undefined;
afterEach(() => provider?.stop());

interface Key {
  kid: string;
  privateKey: CryptoKey;
  jwk: JWK;
}

async function newKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
}

let tokens = 0;

/** Returns a new token each time, because the verifier caches valid tokens. */
function tokenOf({ kid, privateKey }: Key): Promise<string> {
  tokens += 1;
  return new SignJWT({ iss: 'issuer', aud: 'chat', sub: 'alice', jti: `${tokens}` })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setExpirationTime('1m')
    .sign(privateKey);
}

/** An issuer that serves a changeable key set, on the same port after a restart. */
class Provider {
  keys: Key[];
  fetches: { at: number; agent: string | undefined }[] = [];
  respond: RequestListener = (_, response) => response.end(JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }));
  port = 0;
  #server: Server | undefined;

  constructor(...keys: Key[]) {
    this.keys = keys;
    provider = this;
  }

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      this.fetches.push({ at: performance.now(), agent: request.headers['user-agent'] });
      this.respond(request, response);
    });
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  verifier(options: Partial<JoseRemoteKeysOptions> = {}): JoseTokenVerifier {
    const keys = createRemoteKeys(`http://127.0.0.1:${this.port}/jwks.json`, {
      timeoutMs: 300,
      retryMs: 50,
      ...options,
    });
    return new JoseTokenVerifier(keys, { issuer: 'issuer', audience: 'chat', algorithms: ['ES256'] });
  }
}

async function start(...keys: Key[]): Promise<Provider> {
  const started = new Provider(...keys);
  await started.start();
  return started;
}

const invalid = { reason: 'TOKEN_INVALID' };
const unavailable = { code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) };

test('the keys are fetched once, on the first token', async () => {
  const key = await newKey('a');
  const started = await start(key);
  const verifier = started.verifier();
  expect(started.fetches).toEqual([]);
  const all = await Promise.all(Array.from({ length: 20 }, async () => verifier.verify(await tokenOf(key))));
  expect(all).toHaveLength(20);
  expect(started.fetches.map(({ agent }) => agent)).toEqual(['chat-service']);
});

test('tokens of an unknown key make it fetch the keys again, at most once per cool-down', async () => {
  const [first, second] = [await newKey('a'), await newKey('b')];
  const started = await start(first);
  const verifier = started.verifier({ cooldownMs: 3_000 });
  await verifier.verify(await tokenOf(first));
  started.keys.push(second);
  for (let i = 0; i < 20; i += 1) await expect(verifier.verify(await tokenOf(second))).rejects.toMatchObject(invalid);
  expect(started.fetches).toHaveLength(1);
  await eventually(async () => expect((await verifier.verify(await tokenOf(second))).userId).toBe('alice'));
  expect(started.fetches).toHaveLength(2);
  expect(started.fetches[1]!.at - started.fetches[0]!.at).toBeGreaterThanOrEqual(2_950);
});

test('a withdrawn key is refused once the cached set has expired', async () => {
  const [first, second] = [await newKey('a'), await newKey('b')];
  const started = await start(first);
  const verifier = started.verifier({ cacheMaxAgeMs: 200 });
  await verifier.verify(await tokenOf(first));
  started.keys = [second];
  await eventually(async () => expect(verifier.verify(await tokenOf(first))).rejects.toMatchObject(invalid));
  expect((await verifier.verify(await tokenOf(second))).userId).toBe('alice');
});

test.each<[string, RequestListener]>([
  ['refuses', (_, response) => void response.writeHead(503).end()],
  ['redirects', (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
  ['does not answer with a key set', (_, response) => void response.end('no json')],
  ['does not answer', () => {}],
])('an issuer that %s makes the call UNAVAILABLE, and is asked again later', async (_, respond) => {
  const key = await newKey('a');
  const started = await start(key);
  const { respond: good } = started;
  started.respond = respond;
  const verifier = started.verifier();
  await expect(verifier.verify(await tokenOf(key))).rejects.toMatchObject(unavailable);
  started.respond = good;
  await eventually(async () => expect((await verifier.verify(await tokenOf(key))).userId).toBe('alice'));
});

test('an unreachable issuer is not asked for every token', async () => {
  const key = await newKey('a');
  const started = await start(key);
  started.respond = (_, response) => void response.writeHead(500).end();
  const verifier = started.verifier({ retryMs: 60_000 });
  for (let i = 0; i < 10; i += 1) await expect(verifier.verify(await tokenOf(key))).rejects.toMatchObject(unavailable);
  expect(started.fetches).toHaveLength(1);
});

test('while the issuer is unreachable, its known keys stay valid for a time, and tokens of unknown keys are UNAVAILABLE', async () => {
  const [first, second] = [await newKey('a'), await newKey('b')];
  const started = await start(first);
  const verifier = started.verifier({ cacheMaxAgeMs: 50, cooldownMs: 0, staleMs: 600 });
  await verifier.verify(await tokenOf(first));
  await started.stop();
  const stoppedAt = performance.now();
  await eventually(async () => expect(verifier.verify(await tokenOf(second))).rejects.toMatchObject(unavailable));
  expect((await verifier.verify(await tokenOf(first))).userId).toBe('alice');
  await eventually(async () => expect(verifier.verify(await tokenOf(first))).rejects.toMatchObject(unavailable));
  expect(performance.now() - stoppedAt).toBeGreaterThan(300);
  started.keys = [second];
  await started.start();
  await eventually(async () => expect((await verifier.verify(await tokenOf(second))).userId).toBe('alice'));
  await expect(verifier.verify(await tokenOf(first))).rejects.toMatchObject(invalid);
});
