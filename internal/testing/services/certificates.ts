import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificateSet, makeCertificates } from '../../../cmd/gen-cert/make-certificates.ts';

/** A local certificate authority with certificates for a server and a client, in a folder of its own. */
export interface TestCertificates extends CertificateSet {
  folder: string;
  /** The options of a client without a certificate. */
  trusting: { ca: Buffer };
  /** The options of a client with a certificate. */
  showing: { ca: Buffer; cert: Buffer; key: Buffer };
  /** The settings of a service with TLS. */
  env: { TLS_CERT: string; TLS_KEY: string };
  remove(): Promise<void>;
}

export async function makeTestCertificates(): Promise<TestCertificates> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-certs-'));
  const set = await makeCertificates(folder);
  const ca = await readFile(set.ca);
  return {
    ...set,
    folder,
    trusting: { ca },
    showing: { ca, cert: await readFile(set.clientCert), key: await readFile(set.clientKey) },
    env: { TLS_CERT: set.serverCert, TLS_KEY: set.serverKey },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
