import type { EnvReader } from '../reading/env-reader.ts';
import { type Insecurity, isLoopback } from '../reading/insecure.ts';

/** The services that a gateway calls when it runs alone. */
export interface UpstreamConfig {
  /** `host:port`, each: several IP addresses, or one name. */
  addresses: string[];
  /** Absent: plain text. */
  tls: UpstreamTls | undefined;
}

/** Files in PEM. */
export interface UpstreamTls {
  /** The authorities whose certificates are accepted; absent: the system's. */
  ca: string | undefined;
  /** The gateway's own certificate, where the services ask for one. */
  cert: string | undefined;
  key: string | undefined;
  /** The name that the services' certificates are for; absent: that of the address. */
  name: string | undefined;
}

const ipv4 = /^(\d{1,3}\.){3}\d{1,3}:\d+$/;
const ipv6 = /^\[[0-9a-f:.]+\]:\d+$/i;

export function readUpstream(read: EnvReader): UpstreamConfig {
  const addresses = read.list(
    'GATEWAY_UPSTREAMS',
    ['localhost:50051'],
    /^(\[[0-9a-f:.]+\]|[\w.-]+):\d+$/i,
    'addresses such as 10.0.0.5:50051, separated by commas',
  );
  const ca = read.optional('GATEWAY_UPSTREAM_CA');
  const cert = read.optional('GATEWAY_UPSTREAM_CERT');
  const key = read.optional('GATEWAY_UPSTREAM_KEY');
  const name = read.optional('GATEWAY_UPSTREAM_NAME');
  const secure = read.boolean('GATEWAY_UPSTREAM_TLS', ca !== undefined || cert !== undefined);
  const byIpv4 = addresses.filter((address) => ipv4.test(address)).length;
  const byIpv6 = addresses.filter((address) => ipv6.test(address)).length;
  read.require(addresses.length > 0, 'GATEWAY_UPSTREAMS must name at least one service');
  read.require(
    addresses.length < 2 || byIpv4 + byIpv6 === addresses.length,
    'GATEWAY_UPSTREAMS must be IP addresses when there are several; or one name that stands for all of them',
  );
  read.require(byIpv4 === 0 || byIpv6 === 0, 'GATEWAY_UPSTREAMS must be of one kind, all IPv4 or all IPv6');
  read.require(
    !secure || name !== undefined || byIpv4 + byIpv6 === 0,
    'GATEWAY_UPSTREAM_NAME must say which name the certificates are for when GATEWAY_UPSTREAMS are IP addresses',
  );
  read.require(
    (cert === undefined) === (key === undefined),
    'GATEWAY_UPSTREAM_CERT and GATEWAY_UPSTREAM_KEY must be set together',
  );
  return { addresses, tls: secure ? { ca, cert, key, name } : undefined };
}

/** Services on other machines that are called in plain text. */
export function findUpstreamInsecurities({ addresses, tls }: UpstreamConfig): Insecurity[] {
  const elsewhere = addresses.find((address) => !isLoopback(address.replace(/:\d+$/, '')));
  if (elsewhere === undefined || tls) return [];
  const what = `${elsewhere} of GATEWAY_UPSTREAMS is called without TLS: set GATEWAY_UPSTREAM_TLS`;
  return [{ word: 'plaintext', what, exposed: true }];
}
