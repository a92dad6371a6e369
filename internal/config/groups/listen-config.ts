import type { EnvReader } from '../reading/env-reader.ts';
import { type Insecurity, isLoopback } from '../reading/insecure.ts';
import type { TlsConfig } from './tls-config.ts';

/** Where the service listens. The port of HTTP is in HttpConfig. */
export interface ListenConfig {
  /** An address of this machine, or one that stands for all of them. */
  host: string;
  /** 0: any free port. */
  grpcPort: number;
}

export function readListen(read: EnvReader): ListenConfig {
  return { host: readHost(read), grpcPort: read.integer('GRPC_PORT', 50_051, { min: 0, max: 65_535 }) };
}

export function readHost(read: EnvReader): string {
  return read.string('HOST', '127.0.0.1');
}

/** Listening in plain text where other machines can connect. */
export function findListenInsecurities({ host }: Pick<ListenConfig, 'host'>, tls: TlsConfig | undefined): Insecurity[] {
  if (isLoopback(host) || tls) return [];
  const what = `HOST ${host} can be reached from other machines without TLS: set TLS_CERT and TLS_KEY`;
  return [{ word: 'plaintext', what, exposed: true }];
}
