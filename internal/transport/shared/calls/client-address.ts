import type { IncomingMessage } from 'node:http';
import proxyAddr from 'proxy-addr';

/** The client's address, with a port if it is known: the peer, or whom it forwards for if it is trusted. */
export type ClientAddress = (peer: string, forwardedFor: string | undefined) => string;

/** Believes x-forwarded-for from these only: addresses, networks, or the words loopback, linklocal, uniquelocal. */
export function clientAddressVia(trustedProxies: readonly string[]): ClientAddress {
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  return (peer, forwardedFor) => {
    if (forwardedFor === undefined) return peer;
    const [, address = peer] = /^\[?(.*?)\]?:\d+$/.exec(peer) ?? [];
    const request = { connection: { remoteAddress: address }, headers: { 'x-forwarded-for': forwardedFor } };
    const client = proxyAddr(request as unknown as IncomingMessage, isTrusted);
    return client === address ? peer : `${client.includes(':') ? `[${client}]` : client}:0`;
  };
}
