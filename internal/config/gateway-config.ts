import { readKeepaliveMs, readMaxCommandsPerFrame, readMaxFrameBytes } from './config.ts';
import { EnvReader } from './env-reader.ts';
import { type HttpConfig, readHttp, readTls, type TlsConfig } from './http-config.ts';
import { type Insecurity, isLoopback, judgeInsecurities } from './insecure.ts';
import { type LogConfig, readLog } from './log-config.ts';

/** The settings of a gateway that runs by itself. */
export interface GatewayConfig {
  host: string;
  http: HttpConfig;
  tls: TlsConfig | undefined;
  log: LogConfig;
  upstream: {
    /** `host:port`, each: IP addresses, or one name. */
    addresses: string[];
    /** Absent: plain text. Files in PEM; without `ca` the system's authorities count. */
    tls:
      | {
          ca: string | undefined;
          cert: string | undefined;
          key: string | undefined;
          /** That their certificates are for; absent: that of the address. */
          name: string | undefined;
        }
      | undefined;
  };
  maxBodyBytes: number;
  maxCommandsPerFrame: number;
  keepaliveMs: number;
  drainTimeoutMs: number;
  /** What is not safe about all this, for the log. */
  warnings: string[];
}

const ipv4 = /^(\d{1,3}\.){3}\d{1,3}:\d+$/;
const ipv6 = /^\[[0-9a-f:.]+\]:\d+$/i;

/** Throws ConfigError, which names every bad variable. */
export function readGatewayConfig(env: Readonly<Record<string, string | undefined>>): GatewayConfig {
  const read = new EnvReader(env);
  const tls = readTls(read);
  const ca = read.optional('GATEWAY_UPSTREAM_CA');
  const cert = read.optional('GATEWAY_UPSTREAM_CERT');
  const key = read.optional('GATEWAY_UPSTREAM_KEY');
  const name = read.optional('GATEWAY_UPSTREAM_NAME');
  const secure = read.boolean('GATEWAY_UPSTREAM_TLS', ca !== undefined || cert !== undefined);
  const config: GatewayConfig = {
    host: read.string('HOST', '127.0.0.1'),
    http: readHttp(read, tls !== undefined),
    tls,
    log: readLog(read),
    upstream: {
      addresses: read.list(
        'GATEWAY_UPSTREAMS',
        ['localhost:50051'],
        /^(\[[0-9a-f:.]+\]|[\w.-]+):\d+$/i,
        'addresses such as 10.0.0.5:50051, separated by commas',
      ),
      tls: secure ? { ca, cert, key, name } : undefined,
    },
    maxBodyBytes: readMaxFrameBytes(read),
    maxCommandsPerFrame: readMaxCommandsPerFrame(read),
    keepaliveMs: readKeepaliveMs(read),
    drainTimeoutMs: read.integer('DRAIN_TIMEOUT_MS', 10_000, { min: 0, max: 3_600_000 }),
    warnings: [],
  };
  const { addresses } = config.upstream;
  read.require(addresses.length > 0, 'GATEWAY_UPSTREAMS must name at least one service');
  read.require(
    addresses.length < 2 || addresses.every((address) => ipv4.test(address) || ipv6.test(address)),
    'GATEWAY_UPSTREAMS must be IP addresses when there are several; or one name that stands for all of them',
  );
  read.require(
    !(addresses.some((address) => ipv4.test(address)) && addresses.some((address) => ipv6.test(address))),
    'GATEWAY_UPSTREAMS must be of one kind, all IPv4 or all IPv6',
  );
  read.require(
    !secure || name !== undefined || !addresses.some((address) => ipv4.test(address) || ipv6.test(address)),
    'GATEWAY_UPSTREAM_NAME must say which name the certificates are for when GATEWAY_UPSTREAMS are IP addresses',
  );
  read.require(
    (cert === undefined) === (key === undefined),
    'GATEWAY_UPSTREAM_CERT and GATEWAY_UPSTREAM_KEY must be set together',
  );
  config.warnings = judgeInsecurities(read, findInsecurities(config));
  read.throwIfFaulty();
  return config;
}

function findInsecurities({ host, tls, upstream }: GatewayConfig): Insecurity[] {
  const found: Insecurity[] = [];
  if (!isLoopback(host) && !tls) {
    found.push({
      word: 'plaintext',
      what: `HOST ${host} can be reached from elsewhere, without TLS: set TLS_CERT and TLS_KEY`,
      exposed: true,
    });
  }
  const elsewhere = upstream.addresses.find((address) => !isLoopback(address.replace(/:\d+$/, '')));
  if (elsewhere !== undefined && !upstream.tls) {
    found.push({
      word: 'plaintext',
      what: `${elsewhere} of GATEWAY_UPSTREAMS is called without TLS: set GATEWAY_UPSTREAM_TLS`,
      exposed: true,
    });
  }
  return found;
}
