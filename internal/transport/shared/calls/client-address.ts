import type { IncomingMessage } from 'node:http';
import proxyAddr from 'proxy-addr';

/**
 * Returns the client's address and port: the peer's, or the one that a trusted peer names in X-Forwarded-For. The port is 0 if it is not known.
 */
export type ClientAddress = (peer: string, forwardedFor: string | undefined) => string;

const peerForm = /^\[?(.*?)\]?:\d+$/;

/** Returns a function that says whether a peer (address and port) is one of the trusted proxies. */
export function isTrustedVia(trustedProxies: readonly string[]): (peer: string) => boolean {
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  return (peer) => isTrusted(peerForm.exec(peer)?.[1] ?? peer, 0);
}

/** Creates a ClientAddress. `trustedProxies` are addresses, networks, or the words loopback, linklocal and uniquelocal. */
export function clientAddressVia(trustedProxies: readonly string[]): ClientAddress {
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  return (peer, forwardedFor) => {
    if (forwardedFor === undefined) return peer;
    const [, address = peer] = peerForm.exec(peer) ?? [];
    const request = { connection: { remoteAddress: address }, headers: { 'x-forwarded-for': forwardedFor } };
    const client = proxyAddr(request as unknown as IncomingMessage, isTrusted);
    return client === address ? peer : `${client.includes(':') ? `[${client}]` : client}:0`;
  };
}
