import { describe, expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { readGatewayConfig } from '../gateway-config.ts';
import type { ConfigError } from './env-reader.ts';

type Env = Record<string, string>;

function faultsOf(read: (env: Env) => unknown, env: Env): readonly string[] {
  try {
    read(env);
    return [];
  } catch (error) {
    return (error as ConfigError).faults;
  }
}

const production = { NODE_ENV: 'production' };
const outside = { AUTH_ISSUER: 'https://id.example.com', AUTH_AUDIENCE: 'chat' };

const insecurities: [string, Env, string, RegExp][] = [
  ['guests', { AUTH_GUESTS: 'true' }, 'guests', /^AUTH_GUESTS is on/],
  ['plain text on the network', { HOST: '0.0.0.0' }, 'plaintext', /^HOST 0\.0\.0\.0 can be reached/],
  ['plain text on the network, by IPv6', { HOST: '::' }, 'plaintext', /^HOST :: can be reached/],
  ['a common password', { POSTGRES_DSN: 'postgres://chat:Changeme@db/chat' }, 'default-password', /^POSTGRES_DSN has/],
  [
    'the user as password',
    { POSTGRES_DSN: 'postgres://orders:orders@db/chat' },
    'default-password',
    /^POSTGRES_DSN has/,
  ],
  [
    'a common password as a parameter',
    { POSTGRES_DSN: 'postgres://u@db/chat?password=secret' },
    'default-password',
    /^POSTGRES_DSN/,
  ],
  [
    'an address of keys without TLS',
    { ...outside, AUTH_JWKS_URL: 'http://id.example.com/jwks' },
    'plaintext',
    /^AUTH_JWKS_URL names another machine/,
  ],
  [
    'an address of revocations without TLS',
    { ...outside, AUTH_JWKS_URL: 'https://id.example.com/jwks', AUTH_REVOCATIONS_URL: 'http://id.example.com/r' },
    'plaintext',
    /^AUTH_REVOCATIONS_URL names another machine/,
  ],
];

describe('in production the service', () => {
  test.each(insecurities)('refuses %s unless ALLOW_INSECURE has its word', (_what, env, word, fault) => {
    expect(faultsOf(readConfig, { ...production, ...env })).toEqual([expect.stringMatching(fault)]);
    expect(faultsOf(readConfig, { ...production, ...env })[0]).toContain(`ALLOW_INSECURE has "${word}"`);
    expect(faultsOf(readConfig, { ...production, ...env, ALLOW_INSECURE: word })).toEqual([]);
    expect(faultsOf(readConfig, env)).toEqual([]);
  });

  test('reports every insecurity together, and never the password', () => {
    const env = { AUTH_GUESTS: 'true', HOST: '0.0.0.0', POSTGRES_DSN: 'postgres://u:changeme@db/chat' };
    const faults = faultsOf(readConfig, { ...production, ...env });
    expect(faults).toHaveLength(3);
    expect(faults.join()).not.toContain('changeme');
  });

  test.each<Env>([
    { HOST: '127.0.0.1' },
    { HOST: '::1' },
    { HOST: 'localhost' },
    { HOST: '0.0.0.0', TLS_CERT: 'c', TLS_KEY: 'k' },
    { POSTGRES_DSN: 'postgres://chat:wQ8-rmX2@db/chat' },
    { POSTGRES_DSN: 'postgres://chat@db/chat' },
    { ...outside, AUTH_JWKS_URL: 'http://127.0.0.1:1/jwks' },
    // Guests sign in with the embedded issuer only.
    { ...outside, AUTH_JWKS_URL: 'https://id.example.com/jwks', AUTH_GUESTS: 'true' },
  ])('accepts %j', (env) => {
    expect(faultsOf(readConfig, { ...production, ...env })).toEqual([]);
  });

  test('refuses an unknown word', () => {
    expect(faultsOf(readConfig, { ALLOW_INSECURE: 'guests,everything' })).toEqual([
      'ALLOW_INSECURE must be some of guests, default-password, plaintext, data-loss; not: everything',
    ]);
  });
});

describe('outside production the service', () => {
  test('warns of insecurities that others can reach, and of none on loopback', () => {
    const warnings = (env: Env) => readConfig(env).warnings;
    expect(warnings({ AUTH_GUESTS: 'true', POSTGRES_DSN: 'postgres://u:test@localhost/chat' })).toEqual([]);
    expect(warnings({ AUTH_GUESTS: 'true', HOST: '0.0.0.0' })).toEqual([
      expect.stringMatching(/^HOST/),
      expect.stringMatching(/^AUTH_GUESTS/),
    ]);
  });
});

describe('a gateway that runs alone', () => {
  test.each([
    [{ HOST: '0.0.0.0' }, /^HOST 0\.0\.0\.0/],
    [{ GATEWAY_UPSTREAMS: 'chat.example.com:1' }, /^chat\.example\.com:1 of GATEWAY_UPSTREAMS is called without TLS/],
  ])('is checked in the same way: %j', (env, fault) => {
    expect(faultsOf(readGatewayConfig, { ...production, ...env })).toEqual([expect.stringMatching(fault)]);
    expect(faultsOf(readGatewayConfig, { ...production, ...env, ALLOW_INSECURE: 'plaintext' })).toEqual([]);
    expect(readGatewayConfig(env).warnings).toEqual([expect.stringMatching(fault)]);
  });
});
