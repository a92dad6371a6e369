import { describe, expect, test } from 'vitest';
import { readGatewayConfig } from './gateway-config.ts';
import type { ConfigError } from './reading/env-reader.ts';

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readGatewayConfig(env);
    return [];
  } catch (error) {
    return (error as ConfigError).faults;
  }
}

describe('the configuration of a gateway that runs alone', () => {
  test('needs nothing to be set: it calls a service on the same machine', () => {
    expect(readGatewayConfig({})).toMatchObject({
      listen: { host: '127.0.0.1' },
      http: { port: 8_080, trustedProxies: [], corsOrigins: [] },
      upstream: { addresses: ['localhost:50051'], tls: undefined },
    });
  });

  test('takes several addresses, or one name for all of them', () => {
    const addresses = (text: string) => readGatewayConfig({ GATEWAY_UPSTREAMS: text }).upstream.addresses;
    expect(addresses('10.0.0.1:1, 10.0.0.2:2')).toEqual(['10.0.0.1:1', '10.0.0.2:2']);
    expect(addresses('[::1]:1,[::2]:2')).toEqual(['[::1]:1', '[::2]:2']);
    expect(addresses('chat.svc.cluster.local:50051')).toEqual(['chat.svc.cluster.local:50051']);
  });

  test.each([
    [{ GATEWAY_UPSTREAMS: 'a:1,b:2' }, /^GATEWAY_UPSTREAMS must be IP addresses/],
    [{ GATEWAY_UPSTREAMS: '10.0.0.1:1,[::1]:2' }, /^GATEWAY_UPSTREAMS must be of one kind/],
    [{ GATEWAY_UPSTREAMS: 'localhost' }, /^GATEWAY_UPSTREAMS must be addresses/],
    [{ GATEWAY_UPSTREAMS: ',' }, /^GATEWAY_UPSTREAMS must name at least one/],
    [{ GATEWAY_UPSTREAM_CERT: 'x' }, /must be set together/],
    [{ GATEWAY_UPSTREAM_TLS: 'true', GATEWAY_UPSTREAMS: '10.0.0.1:1' }, /^GATEWAY_UPSTREAM_NAME must/],
    [{ CORS_ORIGINS: 'app.example.com' }, /^CORS_ORIGINS must be origins/],
    [{ TRUSTED_PROXIES: 'everybody' }, /^TRUSTED_PROXIES must be/],
    [{ TRUSTED_PROXIES: '300.1.1.1' }, /^TRUSTED_PROXIES must be/],
    [{ PUBLIC_URL: 'chat.example.com' }, /^PUBLIC_URL must be/],
  ])('refuses %j', (env, fault) => {
    expect(faultsOf(env)).toEqual([expect.stringMatching(fault)]);
  });

  test('files for TLS turn TLS on', () => {
    const { tls } = readGatewayConfig({ GATEWAY_UPSTREAM_CA: 'ca.crt' }).upstream;
    expect(tls).toEqual({ ca: 'ca.crt', cert: undefined, key: undefined, name: undefined });
  });
});
