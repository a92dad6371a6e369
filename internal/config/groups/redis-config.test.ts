import { describe, expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import type { ConfigError } from '../reading/env-reader.ts';

const faultsOf = (env: Record<string, string>) => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    return (error as ConfigError).faults;
  }
};

describe('Redis', () => {
  test('is not used without REDIS_URL', () => {
    expect(readConfig({}).redis).toBeUndefined();
    expect(readConfig({ REDIS_URL: 'rediss://u:p%40ss@redis.example', REDIS_PREFIX: 'acme:chat:' }).redis).toEqual({
      url: 'rediss://u:p%40ss@redis.example',
      caFile: undefined,
      prefix: 'acme:chat:',
    });
  });

  test.each([
    [{ REDIS_URL: 'http://redis' }, /^REDIS_URL must be a URL that begins with redis:\/\/ or rediss:\/\/$/],
    [{ REDIS_PREFIX: '{chat}' }, /^REDIS_PREFIX must consist of/],
    [{ REDIS_PREFIX: 'chat *' }, /^REDIS_PREFIX must consist of/],
  ])('cannot be set to %o', (env, fault) => {
    expect(faultsOf(env as Record<string, string>)).toEqual([expect.stringMatching(fault)]);
  });

  test.each([
    [{ REDIS_URL: 'redis://redis.example' }, 'plaintext', /^REDIS_URL names another machine without TLS/],
    [{ REDIS_URL: 'rediss://:changeme@redis.example' }, 'default-password', /^REDIS_URL has a password/],
  ])('in production is refused as %o unless ALLOW_INSECURE has the word', (env, word, fault) => {
    const production = { ...env, NODE_ENV: 'production' };
    expect(faultsOf(production)).toEqual([expect.stringMatching(fault)]);
    expect(faultsOf({ ...production, ALLOW_INSECURE: word })).toEqual([]);
    expect(readConfig(env).warnings).toEqual([expect.stringMatching(fault)]);
  });
});
