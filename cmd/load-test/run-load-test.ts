import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { orInterrupted } from '../../internal/app/process/abort-on-interrupt.ts';
import { EmbeddedPostgres } from '../../internal/embedded/embedded-postgres.ts';
import { endWithProcess } from '../../internal/servers/end-with-process.ts';
import { ChatType } from '../../pkg/api/chat/v1/chat.ts';
import { grpcTransport } from '../../pkg/chat-client/grpc.ts';
import type { Transport } from '../../pkg/chat-client/index.ts';
import { startService } from '../bench/service-process.ts';
import { makeCertificates } from '../gen-cert/make-certificates.ts';
import { findGhz, type Ghz } from './find-ghz.ts';
import { readSummary } from './summary.ts';

const descriptors = new URL('../../pkg/api/descriptors.binpb', import.meta.url);
const protoset = 'descriptors.binpb';

export interface LoadTestOptions {
  /** Calls of the unary method; a tenth as many streams. */
  calls: number;
  /** Calls under way at any time. */
  concurrency: number;
}

/** What ghz needs to know about the service. */
interface Target {
  address: string;
  caFile: string;
  token: string;
  chatId: string;
}

/**
 * Starts a service with TLS and a PostgreSQL of its own, and lets ghz call a unary and a streaming method with a real token. Prints ghz's
 * summaries. Returns how many calls failed. Throws the signal's reason when that aborts.
 */
export async function runLoadTest(options: LoadTestOptions, signal: AbortSignal): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-load-test-'));
  try {
    const ghz = findGhz(folder);
    console.log(`ghz comes from ${ghz.from}`);
    // In the folder that Docker sees.
    await copyFile(descriptors, join(folder, protoset));
    const files = await makeCertificates(folder);
    const postgres = await EmbeddedPostgres.start({ dataDir: folder, settings: { max_connections: '50' } }, signal);
    try {
      // No rate limits: the load comes from one user.
      const service = await startService(postgres.dsn, { TLS_CERT: files.serverCert, TLS_KEY: files.serverKey });
      try {
        const target = await prepare(service.address, files.ca);
        return await orInterrupted(callAll(ghz, target, options), signal);
      } finally {
        await service.stop();
      }
    } finally {
      await postgres.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function callAll(ghz: Ghz, target: Target, { calls, concurrency }: LoadTestOptions): Promise<number> {
  const load = ['--concurrency', String(concurrency)];
  const unary = await attack(ghz, target, 'SendMessage', messageOf(target), [...load, '--total', String(calls)]);
  const streams = Math.ceil(calls / 10);
  const total = ['--total', String(streams)];
  const streaming = await attack(ghz, target, 'ConnectChat', framesOf(target), [...load, ...total]);
  return unary + streaming + (await countMissing(target, calls + 2 * streams));
}

async function prepare(address: string, caFile: string): Promise<Target> {
  const transport = await connect(address, caFile);
  try {
    const { accessToken: token } = await transport.auth.guest({ name: 'ghz' }, {});
    const { chat } = await transport.chat.createChat({ type: ChatType.GROUP, name: 'load' }, { token });
    return { address, caFile, token, chatId: chat!.id };
  } finally {
    transport.close();
  }
}

/** A command that is refused does not fail its stream: the messages are counted, too. */
async function countMissing({ address, caFile, token, chatId }: Target, sent: number): Promise<number> {
  const transport = await connect(address, caFile);
  try {
    const { chat } = await transport.chat.getChat({ chatId }, { token });
    // The first number is that of the chat's beginning.
    return sent + 1 - chat!.lastSeq;
  } finally {
    transport.close();
  }
}

async function connect(address: string, caFile: string): Promise<Transport> {
  return grpcTransport(address, { tls: { ca: await readFile(caFile) } });
}

/** ghz fills in the braces for each call. */
function messageOf({ chatId }: Target): object {
  return { chatId, clientMessageId: '{{newUUID}}', text: 'Message {{.RequestNumber}} of the load test' };
}

/** A stream that pings, sends two messages, and is half-closed. */
function framesOf(target: Target): object {
  const send = (commandId: string) => ({ commands: [{ commandId, sendMessage: messageOf(target) }] });
  return [{ commands: [{ commandId: 'ping', ping: {} }] }, send('first'), send('second')];
}

async function attack(
  ghz: Ghz,
  { address, caFile, token }: Target,
  method: string,
  data: object,
  load: readonly string[],
): Promise<number> {
  const args = [
    ...ghz.args,
    // Not by reflection: ghz asks for v1alpha of it.
    ...['--protoset', join(dirname(caFile), protoset)],
    ...['--cacert', caFile],
    ...['--call', `chat.v1.ChatService/${method}`],
    ...['--metadata', JSON.stringify({ authorization: `Bearer ${token}` })],
    ...['--data', JSON.stringify(data)],
    ...['--timeout', '30s', '--format', 'summary', ...load],
    address,
  ];
  console.log(`\n--- ${method} ---`);
  const child = spawn(ghz.command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithProcess(child);
  let summary = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    summary += text;
    process.stdout.write(text);
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`ghz ended with exit code ${code}`);
  const { failed } = readSummary(summary);
  return Object.values(failed).reduce((sum, count) => sum + count, 0);
}
