import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  base64url,
  type CryptoKey,
  createLocalJWKSet,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fastestOf } from '../../testing/fastest-of.ts';
import { JoseTokenVerifier } from './jose-token-verifier.ts';

type Alg = 'EdDSA' | 'RS256' | 'ES256';
const algs: readonly Alg[] = ['EdDSA', 'RS256', 'ES256'];

const claims = {
  iss: 'issuer',
  aud: 'chat',
  sub: 'mallory',
  roles: ['admin'],
  exp: Math.floor(Date.now() / 1_000) + 600,
};
const own = {} as Record<Alg, { privateKey: CryptoKey; publicKey: CryptoKey }>;
let jwks: JSONWebKeySet;
let verifier: JoseTokenVerifier;
/** The requests that the attacker's server received. */
const requests: string[] = [];
const server = createServer((request, response) => {
  requests.push(request.url ?? '');
  response.end(JSON.stringify(jwks));
});
let attacker: string;

beforeAll(async () => {
  const keys = [];
  for (const alg of algs) {
    own[alg] = await generateKeyPair(alg, { extractable: true });
    keys.push({ ...(await exportJWK(own[alg].publicKey)), kid: alg, alg, use: 'sig' });
  }
  const forEncryption = { ...(await exportJWK(own.EdDSA.publicKey)), kid: 'enc', alg: 'EdDSA', use: 'enc' };
  jwks = { keys: [...keys, forEncryption] };
  verifier = new JoseTokenVerifier(createLocalJWKSet(jwks), { issuer: 'issuer', audience: 'chat', algorithms: algs });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  attacker = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(() => server.close());

const encode = (value: unknown) => base64url.encode(JSON.stringify(value));
const sign = (header: JWTHeaderParameters, key: CryptoKey | Uint8Array, crit: Record<string, boolean> = {}) =>
  new SignJWT(claims).setProtectedHeader(header).sign(key, { crit });

async function expectRefused(token: string): Promise<void> {
  await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' });
}

test('the tokens that the attacks modify are valid', async () => {
  for (const alg of algs) {
    expect(await verifier.verify(await sign({ alg, kid: alg }, own[alg].privateKey))).toMatchObject({
      userId: 'mallory',
    });
  }
});

describe('a token is refused', () => {
  test.each(algs)('that is signed with the text of the %s public key as a secret', async (alg) => {
    const { publicKey } = own[alg];
    const jwk = await exportJWK(publicKey);
    const der = Buffer.from(await crypto.subtle.exportKey('spki', publicKey));
    const secrets = [
      Buffer.from(await exportSPKI(publicKey)),
      Buffer.from((await exportSPKI(publicKey)).trim()),
      der,
      Buffer.from(JSON.stringify(jwk)),
      Buffer.from(JSON.stringify(jwks.keys.find(({ kid }) => kid === alg))),
      Buffer.from(String(jwk.x ?? jwk.n)),
      Buffer.from(String(jwk.x ?? jwk.n), 'base64url'),
    ];
    for (const secret of secrets) {
      for (const kid of [alg, undefined, 'x']) {
        // Longer than the shortest key that HMAC accepts.
        const key = Buffer.concat([secret]);
        await expectRefused(await sign({ alg: 'HS256', ...(kid ? { kid } : {}) }, key));
      }
    }
  });

  test('whose algorithm is not that of the key it names', async () => {
    for (const alg of algs) {
      for (const kid of algs.filter((other) => other !== alg)) {
        await expectRefused(await sign({ alg, kid }, own[alg].privateKey));
      }
      const [, payload, signature] = (await sign({ alg, kid: alg }, own[alg].privateKey)).split('.');
      for (const claimed of ['HS256', 'RS512', 'PS256', 'ES384', 'ES256K', 'Ed448', 'eddsa', 'rs256', '', 7, null]) {
        await expectRefused(`${encode({ alg: claimed, kid: alg })}.${payload}.${signature}`);
      }
    }
  });

  test.each(['none', 'None', 'NONE', 'nOnE', 'none ', '', undefined])('that says it is not signed: %j', async (alg) => {
    const [, payload, signature] = (await sign({ alg: 'EdDSA', kid: 'EdDSA' }, own.EdDSA.privateKey)).split('.');
    for (const header of [{ alg }, { alg, kid: 'EdDSA' }, { alg, typ: 'JWT' }]) {
      for (const last of ['', signature]) await expectRefused(`${encode(header)}.${payload}.${last}`);
    }
    await expectRefused(`${encode({ alg })}.${encode(claims)}`);
  });

  test('that contains its own key, or a URL of it, which is not fetched', async () => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'mine', alg: 'EdDSA' };
    const x5c = [Buffer.from(await crypto.subtle.exportKey('spki', publicKey)).toString('base64')];
    for (const kid of ['mine', 'EdDSA', undefined]) {
      for (const embedded of [
        { jwk },
        { jku: `${attacker}/jwks.json` },
        { x5u: `${attacker}/cert.pem` },
        { x5c },
        { x5c, 'x5t#S256': 'AAAA', x5t: 'AAAA' },
        { jwk, jku: `${attacker}/jwks.json`, x5u: `${attacker}/cert.pem`, x5c },
      ]) {
        await expectRefused(await sign({ alg: 'EdDSA', ...(kid ? { kid } : {}), ...embedded }, privateKey));
      }
    }
    expect(requests).toEqual([]);
  });

  test('with a critical header that is not supported', async () => {
    const key = own.EdDSA.privateKey;
    const header = { alg: 'EdDSA', kid: 'EdDSA' };
    await expectRefused(await sign({ ...header, crit: ['exp2'], exp2: 1 }, key, { exp2: true }));
    await expectRefused(await sign({ ...header, crit: ['http://x/y'], 'http://x/y': 1 }, key, { 'http://x/y': true }));
    const [, payload, signature] = (await sign(header, key)).split('.');
    for (const crit of [[], ['alg'], ['b64'], 'b64', 1, [1], ['missing']]) {
      await expectRefused(`${encode({ ...header, crit })}.${payload}.${signature}`);
      await expectRefused(`${encode({ ...header, crit, b64: false })}.${payload}.${signature}`);
    }
  });

  test.each([
    'other',
    '',
    '../../../../dev/null',
    '/etc/passwd',
    'file:///dev/null',
    "' or 1=1 --",
    "x' union select 'secret",
    '__proto__',
    'constructor',
    '| id',
    'EdDSA\0',
    ' EdDSA',
    'x'.repeat(5_000),
  ])('of an unknown key, whatever its name: %j', async (kid) => {
    const { privateKey } = await generateKeyPair('EdDSA');
    await expectRefused(await sign({ alg: 'EdDSA', kid }, privateKey));
    await expectRefused(await sign({ alg: 'EdDSA', kid }, own.EdDSA.privateKey));
    for (const empty of ['', '\0', 'secret']) {
      await expectRefused(`${encode({ alg: 'HS256', kid })}.${encode(claims)}.${base64url.encode(empty)}`);
    }
  });

  test.each([7, null, {}, ['EdDSA']])('whose key id is not a string: %j', async (kid) => {
    const [, payload, signature] = (await sign({ alg: 'EdDSA', kid: 'EdDSA' }, own.EdDSA.privateKey)).split('.');
    await expectRefused(`${encode({ alg: 'EdDSA', kid })}.${payload}.${signature}`);
  });

  test('that is signed with a key of the set that is not for signing', async () => {
    await expectRefused(await sign({ alg: 'EdDSA', kid: 'enc' }, own.EdDSA.privateKey));
  });

  test('of a megabyte, without parsing it', async () => {
    const [header, , signature] = (await sign({ alg: 'EdDSA', kid: 'EdDSA' }, own.EdDSA.privateKey)).split('.');
    const json = JSON.stringify(Array.from({ length: 100_000 }, (_, i) => ({ i })));
    const parsedMs = await fastestOf(5, () => JSON.parse(json));
    for (const huge of [
      `${header}.${'A'.repeat(1_000_000)}.${signature}`,
      '.'.repeat(1_000_000),
      'A'.repeat(1_000_000),
    ]) {
      expect(await fastestOf(5, () => expectRefused(huge))).toBeLessThan(parsedMs);
    }
  });

  test('with repeated claims or claims of a wrong type', async () => {
    const good = await sign({ alg: 'EdDSA', kid: 'EdDSA' }, own.EdDSA.privateKey);
    const [header, payload, signature] = good.split('.');
    const text = Buffer.from(payload!, 'base64url').toString();
    for (const forged of [
      `${header}.${base64url.encode(text.replace('"sub"', '"sub":"root","sub"'))}.${signature}`,
      `${header}.${base64url.encode(`${text} `)}.${signature}`,
      `${header}.${payload}=.${signature}`,
      `${header}.${payload}.${signature}.`,
      `${good}.x.y`,
      `.${good}`,
      ` ${good}`,
      `${good}\n`,
      `${header}.${payload}.${signature}${signature}`,
      JSON.stringify({ protected: header, payload, signature }),
      encode(['EdDSA']),
    ]) {
      await expectRefused(forged);
    }
  });
});
