#!/usr/bin/env node
// health [server|gateway|auth-server|message-writer]: exits 0 if that program on this machine says that it is serving, by grpc.health.v1 at
// GRPC_PORT, or, as the gateway has no gRPC, by GET /readyz at HTTP_PORT. Without a name it is what ROLES say. For container health checks. Where the
// service asks for a client's certificate, that of GATEWAY_UPSTREAM_CERT and GATEWAY_UPSTREAM_KEY is shown.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { request as requestByTls } from 'node:https';
import { ChannelCredentials, createChannel, createClient } from 'nice-grpc';
import { HealthDefinition } from 'nice-grpc-server-health';
import { targetOf } from './target.ts';

const { TLS_CERT, GATEWAY_UPSTREAM_CERT, GATEWAY_UPSTREAM_KEY } = process.env;
const signal = AbortSignal.timeout(2_000);
// Nothing is told that others may not know, and nobody else listens here: whom the certificate names does not matter.
const unverified = { rejectUnauthorized: false };

try {
  const { kind, port } = targetOf(process.argv[2], process.env);
  await (kind === 'grpc' ? askByGrpc(port) : askByHttp(port));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function askByGrpc(port: number): Promise<void> {
  const options = { 'grpc.ssl_target_name_override': 'localhost' };
  const channel = createChannel(`127.0.0.1:${port}`, credentials(), options);
  try {
    const { status } = await createClient(HealthDefinition, channel).check({ service: '' }, { signal });
    if (status !== 1) throw new Error(`not serving (${status})`);
  } finally {
    channel.close();
  }
}

function credentials(): ChannelCredentials {
  if (!TLS_CERT) return ChannelCredentials.createInsecure();
  const read = (file: string | undefined) => (file ? readFileSync(file) : null);
  return ChannelCredentials.createSsl(null, read(GATEWAY_UPSTREAM_KEY), read(GATEWAY_UPSTREAM_CERT), unverified);
}

async function askByHttp(port: number): Promise<void> {
  const options = { host: '127.0.0.1', port, path: '/readyz', agent: false, signal };
  const asked = TLS_CERT ? requestByTls({ ...options, ...unverified }) : request(options);
  const [answer]: [IncomingMessage] = (await once(asked.end(), 'response')) as [IncomingMessage];
  answer.resume();
  if (answer.statusCode !== 200) throw new Error(`not ready (${answer.statusCode})`);
}
