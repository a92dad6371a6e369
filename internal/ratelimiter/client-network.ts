import { isIPv4, isIPv6 } from 'node:net';

/**
 * Returns the network by which a client without a token is limited: its IPv4 address, or the /64 network of its IPv6 address, because one client
 * usually has all 2^64 addresses of it. Every spelling of an address gives the same result. `peer` may have a port.
 */
export function clientNetwork(peer: string): string {
  const [, bracketed] = /^\[(.*)\](?::\d+)?$/.exec(peer) ?? [];
  const bare = bracketed ?? (isIPv6(peer) && !/\.\d+:\d+$/.test(peer) ? peer : peer.replace(/:\d+$/, ''));
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  if (!isIPv6(bare)) return bare;
  // URL normalizes the address; it does not accept a zone.
  const [head = '', tail] = new URL(`http://[${bare.replace(/%.*$/, '')}]`).hostname.slice(1, -1).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return `${[...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':')}::/64`;
}
