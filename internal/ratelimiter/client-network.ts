import { isIPv4, isIPv6 } from 'node:net';

/**
 * What stands for a client in limits by address: an IPv4 address, or the first 64 bits of an IPv6 address, of which whoever has one has 2^64.
 * The same for every way to write it; `peer` may have a port.
 */
export function clientNetwork(peer: string): string {
  const [, bracketed] = /^\[(.*)\](?::\d+)?$/.exec(peer) ?? [];
  const bare = bracketed ?? (isIPv6(peer) && !/\.\d+:\d+$/.test(peer) ? peer : peer.replace(/:\d+$/, ''));
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  if (!isIPv6(bare)) return bare;
  // As the URL standard writes it, without the zone.
  const [head = '', tail] = new URL(`http://[${bare.replace(/%.*$/, '')}]`).hostname.slice(1, -1).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return `${[...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':')}::/64`;
}
