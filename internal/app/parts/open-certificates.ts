import type { Logger } from 'pino';
import type { TlsConfig } from '../../config/groups/tls-config.ts';
import { CertificateFiles } from '../../transport/tls/certificate-files.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';

interface Deps {
  live: { onReload(listener: () => void): unknown };
  log: Logger;
  resources: ResourceStack;
}

/**
 * Opens the files of certificates, which are read again when they change, and at once when the settings are. Undefined: no TLS. Throws an error that
 * names the setting at fault.
 */
export async function openCertificates(
  tls: TlsConfig | undefined,
  { live, log, resources }: Deps,
): Promise<CertificateFiles | undefined> {
  if (!tls) return undefined;
  const certificates = await CertificateFiles.open(tls, { log });
  resources.add('the certificates', () => certificates.close());
  live.onReload(() => void certificates.look());
  return certificates;
}
