import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { CertificateFiles } from './certificate-files.ts';
import type { Certificates } from './certificates.ts';

/** HTTPS with the certificates that are in use at any time, or HTTP without any. */
export function createHttpServer(certificates: CertificateFiles | undefined, listener: RequestListener): Server {
  if (!certificates) return createServer(listener);
  const { clientCa } = certificates.current;
  const server = createSecureServer(
    {
      ...toContext(certificates.current),
      requestCert: clientCa !== undefined,
      rejectUnauthorized: clientCa !== undefined,
    },
    listener,
  );
  certificates.onChange((renewed) => server.setSecureContext(toContext(renewed)));
  return server;
}

function toContext({ cert, key, clientCa }: Certificates): SecureContextOptions {
  return { cert, key, ...(clientCa && { ca: clientCa }), minVersion: 'TLSv1.2' };
}
