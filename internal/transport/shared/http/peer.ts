import type { Request } from 'express';

/** Returns the client's address and port in the form of a gRPC peer: `1.2.3.4:5` or `[::1]:5`. The port is 0 if it is not known. */
export function toPeer({ ip = '', socket }: Request): string {
  return `${ip.includes(':') ? `[${ip}]` : ip}:${socket.remotePort ?? 0}`;
}
