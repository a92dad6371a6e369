import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { TlsConfig } from '../../config/groups/tls-config.ts';

/** The content of the files that a TlsConfig names, in PEM. The key belongs to the certificate. */
export interface Certificates {
  cert: Buffer;
  key: Buffer;
  clientCa: Buffer | undefined;
  /** When the server's certificate expires. */
  expiresAt: Date;
}

/** Reads and checks the files. Throws an Error that names the setting at fault. */
export async function readCertificates({ cert, key, clientCa, settings }: TlsConfig): Promise<Certificates> {
  const read = {
    cert: await readPem(settings.cert, cert),
    key: await readPem(settings.key, key),
    clientCa: clientCa === undefined ? undefined : await readPem(settings.clientCa, clientCa),
  };
  const certificate = parse(settings.cert, cert, read.cert);
  if (read.clientCa && clientCa) parse(settings.clientCa, clientCa, read.clientCa);
  try {
    // Throws if the key is not one, or belongs to another certificate.
    createSecureContext({ cert: read.cert, key: read.key });
  } catch (cause) {
    throw new Error(`${settings.key} (${key}) is not the private key of ${settings.cert} (${cert})`, { cause });
  }
  return { ...read, expiresAt: certificate.validToDate };
}

async function readPem(setting: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`${setting}: cannot read ${file} (${code})`, { cause });
  }
}

function parse(setting: string, file: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Error(`${setting}: ${file} is not a certificate in PEM`, { cause });
  }
}
