import { type StatusObject, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { CloseReason, ConnectChatRequest, ConnectChatResponse } from '../../../pkg/api/chat/v1/chat.ts';
import { Status } from '../../../pkg/api/google/rpc/status.ts';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import { findPermission } from '../../service/authorization.ts';
import { Bystander } from '../../testing/clients/bystander.ts';
import { newRoom, type Person, signIn } from '../../testing/clients/person.ts';
import { headers, RawClient } from '../../testing/clients/raw-client.ts';
import { commands, type EventBody } from '../../testing/clients/stream-probe.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const log = new LogLines();
let service: TestService;
let mallory: Person;
let bystander: Bystander;
beforeAll(async () => {
  service = await startTestService({}, { log: log.logger });
  mallory = await signIn(service.transport(), 'mallory');
  bystander = await Bystander.watch(service.transport());
});
afterAll(() => service.stop());

afterEach(async () => {
  await bystander.expectUndisturbed();
  expect(log.errors).toEqual([]);
  // Only the bystander's session is left.
  await eventually(() => expect(service.app.sessions.size).toBe(1));
});

const ping = ConnectChatRequest.encode({ commands: [{ commandId: 'ping', command: commands.ping() }] }).finish();

/** Sends a frame and then a ping, and waits for the pong or the end of the stream. */
async function exchange(raw: RawClient, frame: Uint8Array): Promise<{ events: EventBody[]; end?: StatusObject }> {
  const call = raw.connect(mallory.token);
  const events: EventBody[] = [];
  const end = await new Promise<StatusObject | undefined>((resolve) => {
    call.on('status', resolve);
    call.on('data', (bytes: Buffer) => {
      for (const { event } of ConnectChatResponse.decode(bytes).events) {
        if (event) events.push(event);
        if (event?.$case === 'pong' && event.value.commandId === 'ping') resolve(undefined);
      }
    });
    call.write(frame);
    call.write(ping);
  });
  call.cancel();
  return { events, ...(end && { end }) };
}

function errorOf({ metadata }: StatusObject) {
  const [details] = metadata.get('grpc-status-details-bin');
  return details ? errorFromStatus(Status.decode(details as Buffer)) : undefined;
}

function expectProtocolError({ events, end }: Awaited<ReturnType<typeof exchange>>): void {
  expect(events.at(-1)).toEqual({ $case: 'closing', value: { reason: CloseReason.PROTOCOL_ERROR, retryAfterMs: 0 } });
  expect(end).toMatchObject({ code: status.INVALID_ARGUMENT });
  expect(errorOf(end!)).toMatchObject({ reason: 'MALFORMED_FRAME', message: expect.stringContaining('decoded') });
}

/** A length-delimited field of a protobuf message. */
function field(number: number, ...bytes: number[]): number[] {
  const tag = (number << 3) | 2;
  return [...(tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]), bytes.length, ...bytes];
}

test('bytes that are not a frame end the stream with a reason', async () => {
  const raw = new RawClient(service.address);
  const frames = {
    'random bytes': Buffer.from('nonsense'),
    'a frame cut short': ping.subarray(0, 5),
    'text that is not UTF-8': Buffer.from(field(1, ...field(1, 0xff, 0xfe))),
    'a lone surrogate in UTF-8': Buffer.from(field(1, ...field(1, 0xed, 0xa0, 0x80))),
  };
  for (const [name, frame] of Object.entries(frames)) {
    expectProtocolError(await exchange(raw, frame));
    expect(log.lines.at(-1), name).toMatchObject({ method: 'ConnectChat', code: 'INVALID_ARGUMENT' });
  }
});

test('invalid commands in a valid frame are refused one by one', async () => {
  const raw = new RawClient(service.address);
  const room = await newRoom(mallory);
  const refused = async (frame: Uint8Array) => {
    const { events, end } = await exchange(raw, frame);
    expect(end).toBeUndefined();
    return events
      .filter((event) => event.$case === 'rejected')
      .map(({ value }) => [value.commandId, errorFromStatus(value.status!).violations.map(({ field }) => field)]);
  };
  const frame = (...bodies: Parameters<typeof ConnectChatRequest.encode>[0]['commands']) =>
    ConnectChatRequest.encode({ commands: bodies }).finish();

  expect(await refused(Buffer.alloc(0))).toEqual([]);
  expect(await refused(Buffer.from(field(100, 1, 2, 3)))).toEqual([]);
  expect(await refused(Buffer.from(field(1, ...field(1, 0x61), ...field(100, 1, 2))))).toEqual([['a', ['command']]]);
  expect(await refused(frame({ commandId: 'nul', command: commands.send(room.id, 'a\0b') }))).toEqual([
    ['nul', ['send_message.text']],
  ]);
  const long = 'x'.repeat(100_000);
  expect(await refused(frame({ commandId: long, command: commands.ping() }))).toEqual([[long, ['command_id']]]);
  expect(await refused(frame({ commandId: 'id', command: commands.send(long, 'x', long) }))).toEqual([
    ['id', ['send_message.chat_id', 'send_message.client_message_id']],
  ]);
  expect(await refused(frame({ commandId: 'all', command: commands.subscribeAll({ [long]: -5 }) }))).toEqual([
    ['all', [expect.stringContaining('subscribe_all.cursors'), expect.stringContaining('subscribe_all.cursors')]],
  ]);
});

test('a stream that sends arbitrary bytes ends with a clear error or stays open', async () => {
  const raw = new RawClient(service.address);
  const room = await newRoom(mallory);
  const valid = [
    commands.send(room.id, 'some text'),
    commands.subscribe(room.id, 0),
    commands.subscribeAll({ [room.id]: 1 }),
    commands.authenticate('a.b.c'),
  ].map((command) => Buffer.from(ConnectChatRequest.encode({ commands: [{ commandId: 'c', command }] }).finish()));
  const mutated = fc
    .tuple(
      fc.constantFrom(...valid),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(8),
    )
    .map(([frame, edits, cut]) => {
      const bytes = Buffer.from(frame);
      for (const [position, value] of edits) bytes[position % bytes.length] = value;
      return bytes.subarray(0, bytes.length - cut);
    });

  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), async (frame) => {
      const answer = await exchange(raw, frame);
      if (answer.end) expectProtocolError(answer);
      const answers = answer.events.map(({ $case, value }) => ($case === 'rejected' ? value.status!.code : 0));
      expect(answers).not.toContain(status.INTERNAL);
    }),
    { numRuns: 300 },
  );
});

test('a unary call with arbitrary bytes is answered with a clear error', async () => {
  const raw = new RawClient(service.address);
  const methods = Object.keys(mallory.chat)
    .map((name) => `${name[0]!.toUpperCase()}${name.slice(1)}`)
    .filter((name) => findPermission(name)?.token.includes('user'));

  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...methods), fc.uint8Array({ maxLength: 100 }), async (method, bytes) => {
      const code = await raw.call(`/chat.v1.ChatService/${method}`, bytes, headers(mallory.token)).then(
        () => status.OK,
        (error) => error.code,
      );
      expect([status.OK, status.INVALID_ARGUMENT, status.NOT_FOUND]).toContain(code);
    }),
    { numRuns: 300 },
  );
  await expect(
    raw.call('/chat.v1.ChatService/GetChat', Buffer.from('nonsense'), headers(mallory.token)),
  ).rejects.toMatchObject({ code: status.INVALID_ARGUMENT, details: expect.stringContaining('cannot be decoded') });
});
