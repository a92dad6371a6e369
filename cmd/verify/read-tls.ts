import { readFile } from 'node:fs/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { TlsOptions } from '../../pkg/chat-client/grpc.ts';
import type { TlsFiles } from './args.ts';

/** Reads the certificates, and makes the whole process trust the authority, for HTTPS. Throws an error that names a file that cannot be read. */
export async function readTls({ ca, cert, key }: TlsFiles): Promise<TlsOptions> {
  const read: TlsOptions = {};
  for (const [name, file] of Object.entries({ ca, cert, key }) as [keyof TlsOptions, string | undefined][]) {
    if (file === undefined) continue;
    read[name] = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
      throw new Error(`cannot read ${file} (${cause.code})`, { cause });
    });
  }
  // fetch has no option for an authority of its own.
  if (read.ca !== undefined) setDefaultCACertificates([...getCACertificates(), String(read.ca)]);
  return read;
}
