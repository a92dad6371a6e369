import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { Transcoder } from '../../pkg/transcoder/transcoder.ts';
import type { HttpConfig } from '../config/http-config.ts';
import { createGateway } from '../transport/gateway/gateway.ts';
import { HttpServer } from '../transport/gateway/http-server.ts';
import type { UnaryCaller } from '../transport/gateway/unary-caller.ts';
import type { CertificateFiles } from '../transport/tls/certificate-files.ts';
import { createHttpServer } from '../transport/tls/create-http-server.ts';
import type { ResourceStack } from './resource-stack.ts';

interface Deps {
  /** Full names of the services whose methods are served. */
  services: readonly string[];
  caller: UnaryCaller;
  /** Absent: plain HTTP. */
  certificates: CertificateFiles | undefined;
  log: Logger;
  resources: ResourceStack;
}

interface Options {
  host: string;
  http: HttpConfig;
  maxBodyBytes: number;
  /** How long requests under way may take once it is being stopped, in milliseconds. */
  graceMs: number;
}

const api = new URL('../../pkg/api/', import.meta.url);

/** Starts the HTTP side. Returns its port. Throws an error with a clear message if the address cannot be had. */
export async function openGateway(
  { services, caller, certificates, log, resources }: Deps,
  { host, http, maxBodyBytes, graceMs }: Options,
): Promise<number> {
  const app = createGateway(
    { transcoder: Transcoder.create(readFileSync(new URL('descriptors.binpb', api)), services), caller, log },
    {
      trustedProxies: http.trustedProxies,
      corsOrigins: http.corsOrigins,
      maxBodyBytes,
      publicUrl: http.publicUrl,
      openApi: readFileSync(new URL('openapi.json', api), 'utf8'),
    },
  );
  const server = new HttpServer(createHttpServer(certificates, app), { host, port: http.port });
  resources.add('the HTTP server', () => server.stop(graceMs));
  return server.listen();
}
