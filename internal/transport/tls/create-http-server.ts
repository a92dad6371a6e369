import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer, type ServerOptions } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { CertificateFiles } from './certificate-files.ts';
import type { Certificates } from './certificates.ts';

/** Creates an HTTPS server that follows changes of `certificates`, or an HTTP server without them. */
export function createHttpServer(certificates: CertificateFiles | undefined, listener: RequestListener): Server {
  // A request that offers another upgrade, such as HTTP/2, is answered as an ordinary request.
  const shouldUpgradeCallback = ({ headers }: IncomingMessage): boolean =>
    server.listenerCount('upgrade') > 0 && headers.upgrade?.toLowerCase() === 'websocket';
  const server: Server | SecureServer = certificates
    ? createSecureServer({ ...toSecureOptions(certificates), shouldUpgradeCallback }, listener)
    : createServer({ shouldUpgradeCallback }, listener);
  certificates?.onChange((renewed) => (server as SecureServer).setSecureContext(toContext(renewed)));
  return server;
}

function toSecureOptions({ current }: CertificateFiles): ServerOptions {
  const asksClients = current.clientCa !== undefined;
  return { ...toContext(current), requestCert: asksClients, rejectUnauthorized: asksClients };
}

function toContext({ cert, key, clientCa }: Certificates): SecureContextOptions {
  return { cert, key, ...(clientCa && { ca: clientCa }), minVersion: 'TLSv1.2' };
}
