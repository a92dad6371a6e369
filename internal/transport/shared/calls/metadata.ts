import type { IncomingHttpHeaders } from 'node:http';

/** Headers that become metadata of the same name. */
const forwarded = ['authorization', 'traceparent', 'tracestate', 'uber-trace-id'];

/** Metadata that a client may not set by `Grpc-Metadata-*`: gRPC or the gateway sets it, or HTTP/2 reserves or forbids it. */
const reserved =
  /^(grpc|x-forwarded-|(authorization|x-request-id|host|te|trailer|upgrade|expect|user-agent|cookie|date)$|(accept|content|transfer)-|(proxy-)?connection$|keep-alive$|http2-|:)/;

const prefix = 'grpc-metadata-';
const name = /^[0-9a-z_.-]+$/;
const printable = /^[ -~]*$/;

/**
 * Converts a request's headers to call metadata: `Grpc-Metadata-*` without the prefix (`-Bin`: base64 of bytes), the token, trace headers, and the
 * User-Agent as `grpcgateway-user-agent`. Values that metadata cannot hold are left out.
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
 * Parses `Grpc-Timeout` into milliseconds. Returns undefined without a value, and NaN for a value that is not a timeout.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export function toTimeoutMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const [, digits, unit = ''] = timeout.exec(value) ?? [];
  return Number(digits) * (unitMs[unit] ?? Number.NaN);
}
