import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Chat } from '../../../pkg/api/chat/v1/chat.ts';
import { CloseReason } from '../../../pkg/api/chat/v1/chat.ts';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import { Bystander } from '../../testing/clients/bystander.ts';
import { newGroup, type Person, signIn } from '../../testing/clients/person.ts';
import { SocketClient, type SocketClientOptions } from '../../testing/clients/socket-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const maxFrameBytes = 8_192;
let service: TestService;
let alice: Person;
let group: Chat;
let bystander: Bystander;
beforeAll(async () => {
  service = await startTestService({
    MAX_FRAME_BYTES: String(maxFrameBytes),
    MAX_TEXT_LENGTH: '1000',
    MAX_COMMANDS_PER_FRAME: '3',
    WEBSOCKET_COMPRESSION: 'true',
  });
  alice = await signIn(service.transport(), 'alice');
  group = await newGroup(alice);
});
beforeEach(async () => {
  bystander = await Bystander.watch(service.transport());
});
afterEach(() => bystander.expectUndisturbed());
afterAll(() => service.stop());

const connect = (options: SocketClientOptions = {}) =>
  SocketClient.connect(service.url, { token: alice.token, ...options });
const json: SocketClientOptions = {};
const proto: SocketClientOptions = { protocols: ['chat.v1.proto'] };

const brokenProtocol = { $case: 'closing', value: { reason: CloseReason.PROTOCOL_ERROR, retryAfterMs: 0 } };

async function expectMalformed(client: SocketClient): Promise<void> {
  expect(await client.closed).toEqual({ code: 4400, reason: 'MALFORMED_FRAME' });
  expect(client.events.at(-1)).toEqual(brokenProtocol);
}

/** The refused commands, with their errors. */
function refusals(client: SocketClient) {
  return client.events.flatMap((event) => {
    if (event.$case !== 'rejected') return [];
    const { code, reason, violations } = errorFromStatus(event.value.status!);
    return [{ id: event.value.commandId, code, reason, fields: violations.map(({ field }) => field) }];
  });
}

describe('a socket is closed, and no other, for', () => {
  test.each<[string, SocketClientOptions]>([
    ['text', {}],
    ['bytes', proto],
    ['compressed text', { perMessageDeflate: true }],
    ['compressed bytes', { ...proto, perMessageDeflate: true }],
  ])('a frame of %s that is too big', async (_, options) => {
    const client = await connect(options);
    const data = 'x'.repeat(maxFrameBytes + 1);
    client.socket.send(options.protocols ? Buffer.from(data) : data);
    expect((await client.closed).code).toBe(1009);
  });

  test('a fragmented message that is too big', async () => {
    const client = await connect();
    for (let i = 0; i < 10; i += 1) client.socket.send('x'.repeat(maxFrameBytes / 8), { fin: false });
    expect((await client.closed).code).toBe(1009);
  });

  test('text with the binary sub-protocol, and bytes with the text sub-protocol', async () => {
    const [one, other] = [await connect(proto), await connect()];
    one.socket.send('{"commands":[]}');
    other.socket.send(Buffer.from('{"commands":[]}'));
    await expectMalformed(one);
    await expectMalformed(other);
  });

  test.each([
    ['invalid', 'nonsense'],
    ['empty', ''],
    ['incomplete', '{"commands":[{"ping":'],
    ['two frames in one', '{"commands":[]}{"commands":[]}'],
    ['a byte order mark', '\uFEFF{"commands":[]}'],
    ['null', 'null'],
    ['a number', '7'],
    ['a string', '"commands"'],
    ['a list', '[]'],
    ['a list of commands alone', '[{"ping":{}}]'],
    ['commands that are not a list', '{"commands":{}}'],
    ['an unknown field', '{"commands":[],"comands":[]}'],
    ['a single command', '{"commandId":"a","ping":{}}'],
    ['a repeated key', '{"commands":[],"commands":[{"ping":{}}]}'],
    ['a repeated key of a command', '{"commands":[{"commandId":"a","commandId":"b","ping":{}}]}'],
    ['__proto__', '{"__proto__":{"commands":[{"ping":{}}]}}'],
    ['nested too deeply', `{"commands":${'['.repeat(2_000)}${']'.repeat(2_000)}}`],
  ])('JSON: %s', async (_, text) => {
    const client = await connect();
    client.socket.send(text);
    await expectMalformed(client);
  });

  test('text that is not UTF-8, which WebSocket forbids', async () => {
    const client = await connect();
    client.socket.send(Buffer.from([0x22, 0xc3, 0x28, 0x22]), { binary: false });
    expect((await client.closed).code).toBe(1007);
  });

  test.each([
    ['a field of an unknown wire type', [0x0f]],
    ['a length beyond the end', [0x0a, 0x7f, 0x0a]],
    ['a number that does not end', [0x0a, ...Array<number>(11).fill(0xff)]],
    ['a string that is not UTF-8', [0x0a, 0x04, 0x0a, 0x02, 0xc3, 0x28]],
  ])('bytes with %s', async (_, bytes) => {
    const client = await connect(proto);
    client.socket.send(Uint8Array.from(bytes));
    await expectMalformed(client);
  });
});

describe('an invalid command is refused', () => {
  test('and the others of its frame are carried out', async () => {
    const client = await connect();
    client.socket.send(
      JSON.stringify({
        commands: [
          { commandId: 'a', subscribe: { chatId: group.id, afterSeq: '0' } },
          { commandId: 'b', sendMessage: { chatId: group.id, text: 5, clientMessageId: 'b' } },
          { commandId: 'c', sendMessage: { chatId: group.id, text: 'heard', clientMessageId: 'c' } },
        ],
      }),
    );
    await client.until(() => client.events.some(({ $case }) => $case === 'message'));
    await client.nextOf('accepted');
    expect(refusals(client)).toEqual([
      { id: 'b', code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELDS', fields: ['send_message.text'] },
    ]);
    expect(client.events.find(({ $case }) => $case === 'accepted')).toMatchObject({ value: { commandId: 'c' } });
  });

  test.each<[string, unknown, string]>([
    ['that is not an object', 5, 'body'],
    ['with an unknown field', { pnig: {} }, 'pnig'],
    ['with a prototype', { ['__proto__']: { ping: {} } }, '__proto__'],
    ['with two operations', { ping: {}, typing: { chatId: 'x' } }, 'typing'],
    ['without an operation', {}, 'command'],
    ['whose text is too long', { sendMessage: { chatId: 'x', text: 'x'.repeat(1_001), clientMessageId: 'x' } }, ''],
    ['with a number beyond 64 bits', { subscribe: { chatId: 'x', afterSeq: '1e30' } }, 'subscribe.after_seq'],
    ['with a number below 0', { subscribe: { chatId: 'x', afterSeq: '-1' } }, 'subscribe.after_seq'],
    ['with a fraction', { subscribe: { chatId: 'x', afterSeq: 1.5 } }, 'subscribe.after_seq'],
  ])('%s', async (_, body, field) => {
    const client = await connect();
    const command = typeof body === 'object' ? `{"commandId":"x",${JSON.stringify(body).slice(1)}` : '5';
    client.socket.send(`{"commands":[${command.replace(',}', '}')},{"commandId":"last","ping":{}}]}`);
    expect(await client.nextOf('pong')).toEqual({ commandId: 'last' });
    const [refusal] = refusals(client);
    expect(refusal).toMatchObject({ id: typeof body === 'object' ? 'x' : '', code: 'INVALID_ARGUMENT' });
    if (field) expect(refusal!.fields.join()).toContain(field);
  });

  test('with a number that JSON would round', async () => {
    const client = await connect();
    client.socket.send(
      `{"commands":[{"commandId":"x","subscribe":{"chatId":"${group.id}","afterSeq":9007199254740993}}]}`,
    );
    await client.nextOf('rejected');
    expect(refusals(client)).toMatchObject([{ id: 'x', reason: 'CURSOR_IN_FUTURE' }]);
  });
});

test.each([json, proto])(
  'a frame with too many commands ends the stream, and none of them is carried out: $protocols',
  async (options) => {
    const client = await connect(options);
    client.send(commands.ping(), commands.ping(), commands.ping());
    await client.until(() => client.events.length === 4);
    client.send(...Array.from({ length: 4 }, () => commands.ping()));
    expect(await client.closed).toEqual({ code: 4429, reason: 'FRAME_LIMIT' });
    expect(client.events.map(({ $case }) => $case)).toEqual(['welcome', 'pong', 'pong', 'pong', 'closing']);
  },
);

test.each([json, proto])(
  'messages may be fragmented, and frames without commands are ignored: $protocols',
  async (options) => {
    const client = await connect(options);
    const whole = options.protocols ? Buffer.from([]) : '{"commands":[]}';
    client.socket.send(whole);
    if (options.protocols) {
      client.socket.send(Buffer.from([0x0a]), { fin: false });
      client.socket.send(Buffer.from([0x02, 0x32]), { fin: false });
      client.socket.send(Buffer.from([0x00]));
    } else {
      client.socket.send('{"commands":[{"commandId":"whole",', { fin: false });
      client.socket.send('"ping":', { fin: false });
      client.socket.send('{}}]}');
    }
    if (!options.protocols) expect(await client.nextOf('pong')).toEqual({ commandId: 'whole' });
    expect(await client.ask(commands.ping())).toMatchObject({ $case: 'pong' });
    expect(client.events.filter(({ $case }) => $case === 'closing')).toEqual([]);
  },
);
