import { ChannelCredentials } from '@grpc/grpc-js';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConnectChatResponse } from '../../../../pkg/api/chat/v1/chat.ts';
import { ChatError } from '../../../model/errors.ts';
import { LightAbortController } from '../../../model/light-abort.ts';
import { IteratedInbox } from '../../../service/sessions/inbox.ts';
import { signIn } from '../../../testing/clients/person.ts';
import { commands } from '../../../testing/clients/stream-probe.ts';
import { eventually } from '../../../testing/eventually.ts';
import { startTestService, type TestService } from '../../../testing/services/test-service.ts';
import { GrpcCaller } from '../calls/grpc-caller.ts';
import type { ReadCommand } from './command-reader.ts';
import { GrpcStreams } from './grpc-streams.ts';

let service: TestService;
let caller: GrpcCaller;
beforeAll(async () => {
  service = await startTestService();
  caller = new GrpcCaller({
    addresses: [service.address],
    credentials: ChannelCredentials.createInsecure(),
    maxMessageBytes: 4_194_304,
    log: pino({ level: 'silent' }),
  });
});
afterAll(async () => {
  caller.close();
  await service.stop();
});

const error = new ChatError('INVALID_FIELDS', 'the command is at fault');

test('a client that does not read its refusals is not read from', async () => {
  const { token, ...alice } = await signIn(service.transport(), 'alice');
  let taken = 0;
  async function* faulty(): AsyncGenerator<ReadCommand[]> {
    for (; taken < 10_000; taken += 1) yield [{ commandId: `${taken}`, error }];
  }
  const written: { taken: number; events: (string | undefined)[] }[] = [];
  const gone = new LightAbortController();
  const run = new GrpcStreams(caller).run({
    transport: 'websocket',
    header: (name) => (name === 'authorization' ? `Bearer ${token}` : undefined),
    peer: '127.0.0.1:1',
    commands: new IteratedInbox(faulty(), (frame) => frame),
    write(frame) {
      const { events } = ConnectChatResponse.decode(frame.bytes);
      written.push({ taken, events: events.map(({ event }) => event?.$case) });
      return written.length > 1 ? new Promise(() => {}) : undefined;
    },
    onStuck() {},
    signal: gone,
  });
  await eventually(() => expect(written).toHaveLength(2));
  // A ping over another stream: after its answer, this stream would have read more if it were going to.
  const other = await (await signIn(service.transport(), alice.name)).connect();
  await other.ask(commands.ping());
  expect(written.map(({ events }) => events)).toEqual([['welcome'], ['rejected']]);
  expect(written[0]!.taken).toBeLessThan(3);
  expect(taken).toBeLessThan(3);
  gone.abort();
  await run;
});

test('the invalid commands of a frame are refused in one frame, and its other commands are carried out', async () => {
  const { token } = await signIn(service.transport(), 'alice');
  const heard: string[] = [];
  async function* frame(): AsyncGenerator<ReadCommand[]> {
    yield [
      { commandId: 'a', error },
      { commandId: 'b', command: commands.ping() },
      { commandId: 'c', error },
    ];
  }
  await new GrpcStreams(caller).run({
    transport: 'websocket',
    header: (name) => (name === 'authorization' ? `Bearer ${token}` : undefined),
    peer: '127.0.0.1:1',
    commands: new IteratedInbox(frame(), (frame) => frame),
    write(frame) {
      for (const { event } of ConnectChatResponse.decode(frame.bytes).events) {
        heard.push(event?.$case === 'rejected' ? `${event.value.commandId} rejected` : `${event?.$case}`);
      }
      return undefined;
    },
    onStuck() {},
    signal: new LightAbortController(),
  });
  expect(heard[0]).toBe('welcome');
  expect(heard.slice(1).sort()).toEqual(['a rejected', 'c rejected', 'pong']);
});
