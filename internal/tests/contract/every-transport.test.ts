import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { webSocketTransport } from '../../../pkg/chat-client/index.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { startGateway } from '../../app/start-gateway.ts';
import { readGatewayConfig } from '../../config/gateway-config.ts';
import { LiveConfig } from '../../config/live/live-config.ts';
import { personOf, signIn } from '../../testing/clients/person.ts';
import { restTransport } from '../../testing/clients/rest-transport.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { liveChangesContract } from '../../testing/contract/changes.ts';
import { ephemeralEventsContract } from '../../testing/contract/ephemeral-events.ts';
import { liveMentionsContract, mentionsContract } from '../../testing/contract/mentions.ts';
import { liveMessageKindsContract } from '../../testing/contract/message-kinds.ts';
import { readingContract } from '../../testing/contract/reading.ts';
import { liveReceiptsContract, receiptsContract } from '../../testing/contract/receipts.ts';
import { streamsContract } from '../../testing/contract/streams.ts';
import { liveThreadsContract } from '../../testing/contract/threads.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { sseTransport } from '../../verify/transports/sse-transport.ts';

let service: TestService;
let gateway: Awaited<ReturnType<typeof startGateway>>;
const opened: Transport[] = [];

beforeAll(async () => {
  service = await startTestService({ MAX_SIGNAL_MEMBERS: '3' });
  const config = readGatewayConfig({ ADMIN: 'false', HTTP_PORT: '0', GATEWAY_UPSTREAMS: service.address });
  gateway = await startGateway(new LiveConfig(config), pino({ level: 'silent' }));
});
afterAll(async () => {
  for (const transport of opened) transport.close();
  await gateway.stop();
  await service.stop();
});

const inService = () => service.url;
const alone = () => `http://127.0.0.1:${gateway.httpPort}`;

function webSocket(url: () => string, encoding: 'json' | 'proto') {
  return () => {
    const transport = webSocketTransport(url(), { encoding });
    opened.push(transport);
    return transport;
  };
}

/** A transport with unary calls over REST and subscriptions over server-sent events. */
function sse(url: () => string) {
  return () => sseTransport(url(), restTransport(url(), { connect: () => expect.unreachable() }));
}

const everyTransport = {
  gRPC: () => service.transport(),
  'WebSocket with JSON': webSocket(inService, 'json'),
  'WebSocket with protobuf': webSocket(inService, 'proto'),
  'REST and server-sent events': sse(inService),
  'WebSocket with JSON, through a separate gateway': webSocket(alone, 'json'),
  'WebSocket with protobuf, through a separate gateway': webSocket(alone, 'proto'),
  'REST and server-sent events, through a separate gateway': sse(alone),
};

describe.each(Object.entries(everyTransport))('over %s', (name, open) => {
  readingContract(open);
  receiptsContract(open);
  mentionsContract(open);
  if (!name.includes('WebSocket')) return;
  streamsContract(open);
  liveChangesContract(open);
  liveMessageKindsContract(open);
  liveThreadsContract(open);
  ephemeralEventsContract(open);
  liveReceiptsContract(open);
  liveMentionsContract(open);
});

test('readers on every transport get the same messages, numbers and cursors, whichever transport the writer uses', async () => {
  const members = await Promise.all(
    Object.entries(everyTransport).map(async ([name, open], i) => {
      const transport = open();
      return { name, person: await signIn(transport, `member-${i}`) };
    }),
  );
  const [{ person: owner }] = members as [(typeof members)[number]];
  const memberIds = members.slice(1).map(({ person }) => person.id);
  const { chat } = await owner.chat.createChat({ type: 2, name: 'everyone', memberIds });
  const chatId = chat!.id;
  const readers = await Promise.all(
    members.map(async ({ person }) => {
      const stream = person.open();
      await stream.ask(commands.subscribe(chatId, 0));
      return stream;
    }),
  );
  const perWriter = 10;
  await Promise.all(
    members.map(async ({ person, name }, i) => {
      for (let n = 0; n < perWriter; n += 1) {
        if (n % 2 === 0) await readers[i]!.ask(commands.send(chatId, `${n} of ${name}`));
        else await person.chat.sendMessage({ chatId, text: `${n} of ${name}`, clientMessageId: `${n}` });
      }
    }),
  );
  const count = 1 + members.length * perWriter;
  const expected = (
    await personOf(service.transport(), owner).chat.listMessages({ chatId, afterSeq: 0, pageSize: 200 })
  ).messages;
  expect(expected).toHaveLength(count);
  for (const reader of readers) {
    await reader.until(() => reader.messages(chatId).length === count);
    expect(reader.messages(chatId)).toEqual(expected);
  }
});
