import type { IncomingHttpHeaders } from 'node:http';

/** Passed on under their own names. */
const forwarded = ['authorization', 'traceparent', 'tracestate', 'uber-trace-id'];

/** What gRPC and the gateway say themselves, and what HTTP/2 does not allow or has a use of its own for; a client may not say it. */
const reserved =
  /^(grpc|x-forwarded-|(authorization|x-request-id|host|te|trailer|upgrade|expect|user-agent|cookie|date)$|(accept|content|transfer)-|(proxy-)?connection$|keep-alive$|http2-|:)/;

const prefix = 'grpc-metadata-';
const name = /^[0-9a-z_.-]+$/;
const printable = /^[ -~]*$/;

/**
 * The metadata of the call that a request becomes: `Grpc-Metadata-*` without the prefix (`-Bin`: base64 of bytes), the token,
 * trace headers, and what browsers send under `grpcgateway-`. Header values that metadata cannot hold are left out.
 */
export function toMetadata(headers: IncomingHttpHeaders, requestId: string): Map<string, string | Uint8Array> {
  const metadata = new Map<string, string | Uint8Array>();
  for (const [header, given] of Object.entries(headers)) {
    if (!header.startsWith(prefix) || given === undefined) continue;
    const key = header.slice(prefix.length);
    const value = Array.isArray(given) ? given.join(', ') : given;
    if (reserved.test(key) || !name.test(key)) continue;
    if (key.endsWith('-bin')) metadata.set(key, Buffer.from(value, 'base64'));
    else if (printable.test(value)) metadata.set(key, value);
  }
  for (const header of forwarded) {
    const value = headers[header];
    if (typeof value === 'string' && printable.test(value)) metadata.set(header, value);
  }
  const agent = headers['user-agent'];
  if (agent !== undefined && printable.test(agent)) metadata.set('grpcgateway-user-agent', agent.slice(0, 512));
  metadata.set('x-request-id', requestId);
  return metadata;
}

const timeout = /^(\d{1,8})([HMSmun])$/;
const unitMs: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * `Grpc-Timeout` in milliseconds; undefined without one, NaN if it is not one.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export function toTimeoutMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const [, digits, unit = ''] = timeout.exec(value) ?? [];
  return Number(digits) * (unitMs[unit] ?? Number.NaN);
}
