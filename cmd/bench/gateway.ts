import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { ChatType, type CreateChatResponse } from '../../pkg/api/chat/v1/chat.ts';
import { type Ask, measureInTurns, type RequestLoad, type RequestResult } from './in-turns.ts';
import { RawClient } from './raw-client.ts';
import { startService } from './service-process.ts';

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
    const measure = (viaRest: Ask, viaGrpc: Ask) => measureInTurns({ service }, { rest: viaRest, grpc: viaGrpc }, load);
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
