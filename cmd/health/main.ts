#!/usr/bin/env node
// Exits 0 if the service at GRPC_PORT says that it is serving (grpc.health.v1): for container health checks.
import { createChannel, createClient } from 'nice-grpc';
import { HealthDefinition } from 'nice-grpc-server-health';

const channel = createChannel(`127.0.0.1:${process.env.GRPC_PORT || 50_051}`);
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
