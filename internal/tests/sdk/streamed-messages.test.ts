import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import {
  anyOf,
  ChatClient,
  guest,
  type Message,
  type MessagePart,
  MessageStreaming,
  type Transport,
  webSocketTransport,
  withPart,
} from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

async function newClient(transport: Transport = webSocketTransport(service.url)): Promise<ChatClient> {
  const client = new ChatClient({ transport, token: guest(uniqueName('user')) });
  onTestFinished(() => client.close());
  await client.connect();
  return client;
}

/** A reader that keeps the newest state of each message of a chat, and each text that a message had. */
function follow(client: ChatClient) {
  const messages = new Map<string, Message>();
  const texts = new Map<string, string[]>();
  const set = (message: Message | undefined) => {
    if (!message) return;
    messages.set(message.id, message);
    texts.set(message.id, [...(texts.get(message.id) ?? []), message.text]);
  };
  const part = (each: MessagePart) => {
    const message = messages.get(each.messageId);
    set(message && withPart(message, each));
  };
  client.on('message', set);
  client.on('messagePart', part);
  client.on('messageChanged', set);
  return { messages, texts };
}

async function scene(transport?: Transport) {
  const [writer, reader] = [await newClient(transport), await newClient()];
  const room = await writer.joinRoom(uniqueName('room'));
  await reader.joinRoom(room.name);
  return { writer, reader, chatId: room.id, seen: follow(reader) };
}

const ways: Record<string, () => Transport> = {
  gRPC: () => grpcTransport(service.address),
  WebSocket: () => webSocketTransport(service.url),
  'WebSocket with JSON': () => webSocketTransport(service.url, { encoding: 'json' }),
};

describe('a message that is written piece by piece', () => {
  test.for(Object.keys(ways))('over %s, is the same for its writer, a reader and the history', async (way) => {
    const { writer, reader, chatId, seen } = await scene(ways[way]!());
    const stream = writer.chat(chatId).stream({ text: 'Once' });
    const { messageId, seq } = await stream.started;
    const pen = stream.getWriter();
    for (let i = 0; i < 50; i += 1) await pen.write(` ${i}`);
    await pen.close();
    const end = await stream.finished;
    expect(end.seq).toBeGreaterThan(seq);
    await eventually(() => expect(seen.messages.get(messageId)?.updateSeq).toBe(end.seq));
    const text = `Once${Array.from({ length: 50 }, (_, i) => ` ${i}`).join('')}`;
    for (const each of seen.texts.get(messageId)!) expect(text.startsWith(each)).toBe(true);
    const history = await reader.history(chatId);
    expect(history.at(-1)).toMatchObject({ id: messageId, text, streaming: MessageStreaming.UNSPECIFIED });
    expect(seen.messages.get(messageId)).toEqual(history.at(-1));
  });

  test('may be cut anywhere, also inside a character', async () => {
    const { writer, chatId, reader } = await scene();
    const text = 'a😀b👩‍🚀c';
    await writer.streamFrom(chatId, text.split(''));
    expect((await reader.history(chatId)).at(-1)?.text).toBe(text);
  });

  test('may be cut into pieces that are longer than a part', async () => {
    const { writer, chatId, reader } = await scene();
    const text = '😀'.repeat(20_000);
    await writer.streamFrom(chatId, [text]);
    expect((await reader.history(chatId)).at(-1)?.text).toBe(text);
  });

  test('survives connections that break at any moment, each piece once and in order', async () => {
    const proxy = await startTcpProxy(service.url);
    onTestFinished(() => proxy.close());
    const { writer, reader, chatId } = await scene(webSocketTransport(proxy.dsn.replace(/\/$/, '')));
    const stream = writer.stream(chatId);
    const pen = stream.getWriter();
    for (let i = 0; i < 200; i += 1) {
      await pen.write(`${i} `);
      if (i % 40 !== 20) continue;
      proxy.cut();
      await eventually(() => expect(writer.state.kind).not.toBe('online'));
      proxy.restore();
    }
    await pen.close();
    const text = Array.from({ length: 200 }, (_, i) => `${i} `).join('');
    expect((await reader.history(chatId)).at(-1)).toMatchObject({ text, streaming: MessageStreaming.UNSPECIFIED });
  });

  test('goes on at another node when its own one stops', async () => {
    const nodes = await Promise.all(
      ['a', 'b'].map(() => startTestService({ BUS_URL: 'postgres:', DRAIN_TIMEOUT_MS: '1000' }, { dsn: service.dsn })),
    );
    onTestFinished(async () => void (await Promise.all(nodes.map((node) => node.stop()))));
    const transport = anyOf(nodes.map(({ url }) => webSocketTransport(url)));
    const [writer, reader] = [await newClient(transport), await newClient()];
    const { id: chatId, name } = await writer.joinRoom(uniqueName('room'));
    await reader.joinRoom(name);
    const pen = writer.stream(chatId).getWriter();
    for (let i = 0; i < 60; i += 1) {
      await pen.write(`${i} `);
      if (i === 30) await nodes.find(({ app }) => app.sessions.size > 0)!.stop();
    }
    await pen.close();
    expect((await reader.history(chatId)).at(-1)?.text).toBe(Array.from({ length: 60 }, (_, i) => `${i} `).join(''));
  });

  test('is ended as cancelled when its writer aborts it, and keeps its text', async () => {
    const { writer, reader, chatId } = await scene();
    const stream = writer.stream(chatId);
    const pen = stream.getWriter();
    await pen.write('half');
    await pen.abort();
    await stream.finished;
    const last = (await reader.history(chatId)).at(-1);
    expect(last).toMatchObject({ text: 'half', streaming: MessageStreaming.CANCELLED });
  });

  test('that is aborted at once keeps a beginning that is longer than a part', async () => {
    const { writer, reader, chatId } = await scene();
    const text = 'x'.repeat(40_000);
    const stream = writer.stream(chatId, { text });
    await stream.abort();
    await stream.finished;
    expect((await reader.history(chatId)).at(-1)).toMatchObject({ text, streaming: MessageStreaming.CANCELLED });
  });

  test('of which the last part is refused is not left growing', async () => {
    const { writer, reader, chatId } = await scene();
    const pen = writer.stream(chatId).getWriter();
    pen.closed.catch(() => {});
    await pen.write('x');
    // Longer than a message may be, by its last part alone.
    const tooLong = pen.write('x'.repeat(4 * 16_384)).then(() => pen.close());
    await expect(tooLong).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await eventually(async () =>
      expect((await reader.history(chatId)).at(-1)).toMatchObject({ streaming: MessageStreaming.CANCELLED }),
    );
  });

  test('that the service refuses tells its writer why', async () => {
    const { writer, chatId } = await scene();
    const stream = writer.stream(crypto.randomUUID());
    await expect(stream.started).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
    await expect(stream.finished).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
    const deleted = writer.stream(chatId);
    const pen = deleted.getWriter();
    pen.closed.catch(() => {});
    await pen.write('x');
    await writer.delete(chatId, (await deleted.started).messageId);
    await pen.write('y').catch(() => {});
    await expect(pen.close()).rejects.toMatchObject({ reason: 'MESSAGE_DELETED' });
  });
});

describe('the texts of an iterable', () => {
  test('are sent until a reader asks to stop, even if the next one never comes', async () => {
    const { writer, reader, chatId, seen } = await scene();
    let left = false;
    const texts = ['Once', ' upon'];
    const model: AsyncIterableIterator<string> = {
      [Symbol.asyncIterator]: () => model,
      async next() {
        const value = texts.shift();
        return value === undefined ? new Promise(() => {}) : { value };
      },
      async return() {
        left = true;
        return { value: undefined, done: true };
      },
    };
    const sent = writer.streamFrom(chatId, model);
    await eventually(() => expect([...seen.messages.values()].at(-1)?.text).toBe('Once upon'));
    const { id } = [...seen.messages.values()].at(-1)!;
    await reader.stopStream(chatId, id);
    await sent;
    expect(left).toBe(true);
    const last = (await reader.history(chatId)).at(-1);
    expect(last).toMatchObject({ id, text: 'Once upon', streaming: MessageStreaming.CANCELLED });
    await expect(reader.stopStream(chatId, id)).rejects.toMatchObject({ reason: 'NOT_STREAMING' });
  });

  test('end as cancelled if the iterable throws, with the same error', async () => {
    const { writer, reader, chatId } = await scene();
    const fault = new Error('the model is away');
    async function* model() {
      yield 'Once';
      throw fault;
    }
    await expect(writer.streamFrom(chatId, model())).rejects.toBe(fault);
    const last = (await reader.history(chatId)).at(-1);
    expect(last).toMatchObject({ text: 'Once', streaming: MessageStreaming.CANCELLED });
  });

  test('end as cancelled if the function that is to make them throws, with the same error', async () => {
    const { writer, reader, chatId } = await scene();
    const fault = new Error('no such model');
    const sent = writer.streamFrom(chatId, () => {
      throw fault;
    });
    await expect(sent).rejects.toBe(fault);
    const last = (await reader.history(chatId)).at(-1);
    expect(last).toMatchObject({ text: '', streaming: MessageStreaming.CANCELLED });
  });
});

test('a feed of messages returns a growing message with the text so far', async () => {
  const { writer, reader, chatId } = await scene();
  const pen = writer.stream(chatId, { text: 'a' }).getWriter();
  const parts: MessagePart[] = [];
  reader.on('messagePart', (part) => parts.push(part));
  await pen.write('b');
  await eventually(() => expect(parts).toHaveLength(1));
  for await (const message of reader.chat(chatId).messages({ afterSeq: 0 })) {
    if (message.system) continue;
    expect(message).toMatchObject({ text: 'ab', streaming: MessageStreaming.STREAMING });
    break;
  }
  await pen.close();
});
