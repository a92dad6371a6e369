import { readFile } from 'node:fs/promises';
import { ChannelCredentials } from '@grpc/grpc-js';
import type { GatewayConfig } from '../../config/gateway-config.ts';

/** Reads the credentials of a gRPC client from PEM files; without `tls` they are for plain text. Throws if a file cannot be read. */
export async function readChannelCredentials(tls: GatewayConfig['upstream']['tls']): Promise<ChannelCredentials> {
  if (!tls) return ChannelCredentials.createInsecure();
  const read = (file: string | undefined) => (file === undefined ? null : readFile(file));
  return ChannelCredentials.createSsl(await read(tls.ca), await read(tls.key), await read(tls.cert));
}
