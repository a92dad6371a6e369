import type { Request } from 'express';

/** The client's address and port, as gRPC writes them. */
export function toPeer({ ip = '', socket }: Request): string {
  return `${ip.includes(':') ? `[${ip}]` : ip}:${socket.remotePort}`;
}
