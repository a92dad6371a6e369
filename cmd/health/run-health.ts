import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { request as requestByTls } from 'node:https';
import { ChannelCredentials, createChannel, createClient } from 'nice-grpc';
import { HealthDefinition } from 'nice-grpc-server-health';
import { type Env, readEnvironment } from '../../internal/config/reading/environment.ts';
import { targetOf } from './target.ts';

const usage = `usage: health [server|gateway|auth-server|message-writer]

Asks a program on this machine whether it is serving, for the health checks of containers. Exits with 0 if it is, with 1 if it is not. The program is
asked by grpc.health.v1 at GRPC_PORT; a gateway, which has no gRPC, by GET /readyz at HTTP_PORT. Without a name, ROLES decide which program it is.
Where a service asks for a client's certificate, it gets that of GATEWAY_UPSTREAM_CERT and GATEWAY_UPSTREAM_KEY.
`;

/** How long the program may take to answer, in milliseconds. */
const timeoutMs = 2_000;

// The check sends no secret, and on this machine's loopback only the program listens, so the name in its certificate does not matter.
const unverified = { rejectUnauthorized: false };

/** Asks the named program for its health. Returns the exit code. */
export async function runHealth(env: NodeJS.ProcessEnv, [program]: readonly string[]): Promise<number> {
  if (program === '--help') {
    console.log(usage);
    return 0;
  }
  try {
    const settings = readEnvironment(env);
    const { kind, port } = targetOf(program, settings);
    await (kind === 'grpc' ? askByGrpc(port, settings) : askByHttp(port, settings));
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}

async function askByGrpc(port: number, env: Env): Promise<void> {
  const options = { 'grpc.ssl_target_name_override': 'localhost' };
  const channel = createChannel(`127.0.0.1:${port}`, credentialsOf(env), options);
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const { status } = await createClient(HealthDefinition, channel).check({ service: '' }, { signal });
    if (status !== 1) throw new Error(`not serving (${status})`);
  } finally {
    channel.close();
  }
}

function credentialsOf({ TLS_CERT, GATEWAY_UPSTREAM_CERT, GATEWAY_UPSTREAM_KEY }: Env) {
  if (!TLS_CERT) return ChannelCredentials.createInsecure();
  const read = (file: string | undefined) => (file ? readFileSync(file) : null);
  return ChannelCredentials.createSsl(null, read(GATEWAY_UPSTREAM_KEY), read(GATEWAY_UPSTREAM_CERT), unverified);
}

async function askByHttp(port: number, { TLS_CERT }: Env): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  const options = { host: '127.0.0.1', port, path: '/readyz', agent: false, signal };
  const asked = TLS_CERT ? requestByTls({ ...options, ...unverified }) : request(options);
  const [answer]: [IncomingMessage] = (await once(asked.end(), 'response')) as [IncomingMessage];
  answer.resume();
  if (answer.statusCode !== 200) throw new Error(`not ready (${answer.statusCode})`);
}
