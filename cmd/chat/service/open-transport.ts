import { readFile } from 'node:fs/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { grpcTransport, type TlsOptions } from '../../../pkg/chat-client/grpc.ts';
import { type Transport, webSocketTransport } from '../../../pkg/chat-client/index.ts';
import type { ServiceOptions } from './service-options.ts';

/** Opens the transport that the options ask for. Throws an error that names a file that cannot be read. */
export async function openTransport({ transport, address, tls }: ServiceOptions): Promise<Transport> {
  const files = await readTls(tls);
  if (transport === 'grpc') return grpcTransport(address, { tls: files });
  // Node's WebSocket and fetch use the process-wide list of authorities.
  if (files && files.ca !== undefined) setDefaultCACertificates([...getCACertificates(), String(files.ca)]);
  const scheme = files ? 'https' : 'http';
  return webSocketTransport(/^\w+:\/\//.test(address) ? address.replace(/^ws/, 'http') : `${scheme}://${address}`);
}

async function readTls(tls: ServiceOptions['tls']): Promise<false | TlsOptions> {
  if (!tls) return false;
  const read: TlsOptions = {};
  for (const [name, file] of Object.entries(tls) as [keyof TlsOptions, string | undefined][]) {
    if (file === undefined) continue;
    read[name] = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
      throw new Error(`cannot read ${file} (${cause.code})`, { cause });
    });
  }
  return read;
}
