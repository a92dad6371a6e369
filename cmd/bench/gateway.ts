import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { ChatType, type CreateChatResponse } from '../../pkg/api/chat/v1/chat.ts';
import { percentile } from './percentile.ts';
import { RawClient } from './raw-client.ts';
import { type ServiceProcess, startService } from './service-process.ts';

export interface RequestLoad {
  /** Requests under way at the same time. */
  concurrency: number;
  warmUpMs: number;
  durationMs: number;
}

export interface RequestResult {
  perSecond: number;
  p99Ms: number;
  /** CPU time of the service for each request, in microseconds. */
  serviceMicros: number;
}

type Ask = () => Promise<void>;

/** Compares the same calls through the gateway and over gRPC, on one service. */
export async function measureRequests(
  dsn: string,
  load: RequestLoad,
): Promise<Record<'getChat' | 'sendMessage', { rest: RequestResult; grpc: RequestResult }>> {
  const service = await startService(dsn, { CALL_TIMEOUT_MS: '30000' });
  const grpc = new RawClient(service.address);
  const rest = new RestClient(service.url);
  try {
    const token = await grpc.signIn('caller');
    rest.signIn(token);
    const created = await grpc.call<CreateChatResponse>('createChat', { type: ChatType.GROUP, name: 'bench' });
    const chatId = created.chat!.id;
    const text = 'The quick brown fox jumps over the lazy dog.';
    const draft = () => ({ clientMessageId: randomUUID(), text });
    const path = `/v1/chats/${chatId}`;
    const measure = (viaRest: Ask, viaGrpc: Ask) => measureInTurns(service, { rest: viaRest, grpc: viaGrpc }, load);
    return {
      getChat: await measure(
        () => rest.ask('GET', path),
        () => grpc.call('getChat', { chatId }),
      ),
      sendMessage: await measure(
        () => rest.ask('POST', `${path}/messages`, JSON.stringify(draft())),
        () => grpc.call('sendMessage', { chatId, ...draft() }),
      ),
    };
  } finally {
    grpc.close();
    rest.close();
    await service.stop();
  }
}

/** The measurements of one kind of request. */
interface Tally {
  latencies: number[];
  elapsedMs: number;
  cpuMicros: number;
}

/** Alternates between both kinds, so that other load on the machine affects both alike. */
async function measureInTurns<Way extends string>(
  service: ServiceProcess,
  ways: Record<Way, Ask>,
  { concurrency, warmUpMs, durationMs }: RequestLoad,
): Promise<Record<Way, RequestResult>> {
  const names = Object.keys(ways) as Way[];
  const tallies = Object.fromEntries(
    names.map((name) => [name, { latencies: [], elapsedMs: 0, cpuMicros: 0 }]),
  ) as unknown as Record<Way, Tally>;
  for (const name of names) await askFor(ways[name], concurrency, warmUpMs);
  for (let turn = 0; turn < turns; turn += 1) {
    for (const name of names) {
      const tally = tallies[name];
      const cpuBefore = service.cpuMicros();
      const begun = performance.now();
      for (const ms of await askFor(ways[name], concurrency, durationMs / turns)) tally.latencies.push(ms);
      tally.elapsedMs += performance.now() - begun;
      tally.cpuMicros += service.cpuMicros() - cpuBefore;
    }
  }
  const results = names.map((name) => [name, toResult(tallies[name])]);
  return Object.fromEntries(results) as Record<Way, RequestResult>;
}

const turns = 5;

/** Keeps `concurrency` requests under way for a time. Returns how long each took, in milliseconds. */
async function askFor(ask: Ask, concurrency: number, durationMs: number): Promise<number[]> {
  const until = performance.now() + durationMs;
  const latencies: number[] = [];
  const keepAsking = async () => {
    for (let asked = performance.now(); asked < until; asked = performance.now()) {
      await ask();
      latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, keepAsking));
  return latencies;
}

function toResult({ latencies, elapsedMs, cpuMicros }: Tally): RequestResult {
  return {
    perSecond: latencies.length / (elapsedMs / 1_000),
    p99Ms: percentile(latencies, 0.99),
    serviceMicros: cpuMicros / latencies.length,
  };
}

/** HTTP/1.1 with keep-alive. Reads answers without parsing them, like the gRPC client. */
class RestClient {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true });
  #authorization = '';

  constructor(url: string) {
    this.#url = new URL(url);
  }

  signIn(token: string): void {
    this.#authorization = `Bearer ${token}`;
  }

  ask(method: string, path: string, body?: string): Promise<void> {
    const { hostname, port } = this.#url;
    const headers = { authorization: this.#authorization, ...(body && { 'content-type': 'application/json' }) };
    return new Promise((resolve, reject) => {
      const asked = request({ hostname, port, method, path, headers, agent: this.#agent }, (answer) => {
        answer.resume();
        answer.once('end', () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`${method} ${path} was answered with ${answer.statusCode}`));
        });
      });
      asked.once('error', reject);
      asked.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
