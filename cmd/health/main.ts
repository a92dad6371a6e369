#!/usr/bin/env node
// Exits 0 if the service at GRPC_PORT on this machine says that it is serving (grpc.health.v1): for container health checks. Where the service
// asks for a client's certificate, that of GATEWAY_UPSTREAM_CERT and GATEWAY_UPSTREAM_KEY is shown.
import { readFileSync } from 'node:fs';
import { ChannelCredentials, createChannel, createClient } from 'nice-grpc';
import { HealthDefinition } from 'nice-grpc-server-health';

const { GRPC_PORT, TLS_CERT, GATEWAY_UPSTREAM_CERT, GATEWAY_UPSTREAM_KEY } = process.env;

function credentials(): ChannelCredentials {
  if (!TLS_CERT) return ChannelCredentials.createInsecure();
  const read = (file: string | undefined) => (file ? readFileSync(file) : null);
  // Nothing is told that others may not know, and nobody else listens here: whom the certificate names does not matter.
  const unverified = { rejectUnauthorized: false };
  return ChannelCredentials.createSsl(null, read(GATEWAY_UPSTREAM_KEY), read(GATEWAY_UPSTREAM_CERT), unverified);
}

const channel = createChannel(`127.0.0.1:${GRPC_PORT || 50_051}`, credentials(), {
  'grpc.ssl_target_name_override': 'localhost',
});
try {
  const { status } = await createClient(HealthDefinition, channel).check(
    { service: '' },
    { signal: AbortSignal.timeout(2_000) },
  );
  if (status !== 1) throw new Error(`not serving (${status})`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  channel.close();
}
