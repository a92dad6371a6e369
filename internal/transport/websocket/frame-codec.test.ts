import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Command, ConnectChatRequest } from '../../../pkg/api/chat/v1/chat.ts';
import { MessageJson } from '../../../pkg/transcoder/message-json.ts';
import { ProtobufEventEncoder } from '../../converter/event.ts';
import { ChatError } from '../../model/errors.ts';
import { Frame } from '../../model/frame.ts';
import { type FrameCodec, jsonCodec, protobufCodec, WebSocketForms } from './frame-codec.ts';

const descriptors = readFileSync(new URL('../../../pkg/api/descriptors.binpb', import.meta.url));
const limits = { maxCommands: 5 };
const json = jsonCodec(
  {
    command: new MessageJson(descriptors, 'chat.v1.Command'),
    response: new MessageJson(descriptors, 'chat.v1.ConnectChatResponse'),
  },
  limits,
);
const protobuf = protobufCodec(limits);

describe('a prepared frame', () => {
  const asIs = (binary: boolean): FrameCodec => ({
    binary,
    decode: () => [],
    encode: (bytes) => Buffer.from(bytes),
  });
  const http = createServer();
  let duplex: Duplex;
  let client: WebSocket;
  beforeAll(async () => {
    const server = new WebSocketServer({ noServer: true });
    const opened = new Promise<void>((resolve) => {
      http.on('upgrade', (request, connection, head) => {
        duplex = connection;
        server.handleUpgrade(request, connection, head, () => resolve());
      });
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, { maxPayload: 2 ** 24 });
    await opened;
  });
  afterAll(() => {
    client.terminate();
    http.close();
  });

  function passed(frame: Buffer): Promise<{ data: Buffer; binary: boolean }> {
    const heard = once(client, 'message').then(([data, binary]) => ({ data, binary }));
    duplex.write(frame);
    return heard;
  }

  test.each([0, 1, 125, 126, 127, 255, 256, 65_535, 65_536, 65_537, 1_000_000])(
    'of %i bytes is understood by a client',
    async (length) => {
      for (const binary of [true, false]) {
        const payload = Buffer.alloc(length, 'x');
        expect(await passed(new WebSocketForms(asIs(binary)).whole.make(payload))).toEqual({ data: payload, binary });
      }
    },
  );

  test('of any length is one frame and no more', async () => {
    const { whole } = new WebSocketForms(asIs(true));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 70_000 }), async (length) => {
        const { data } = await passed(whole.make(Buffer.alloc(length, 1)));
        expect(data.length).toBe(length);
      }),
      { numRuns: 50 },
    );
  });

  test('is made once for all readers of the same frame, and again for others', () => {
    for (const codec of [protobuf, json]) {
      const { payload, whole } = new WebSocketForms(codec);
      const frame = new ProtobufEventEncoder().encode({ kind: 'pong', commandId: 'a' });
      const equal = new Frame(frame.bytes);
      expect(frame.as(whole)).toBe(frame.as(whole));
      expect(frame.as(payload)).toBe(frame.as(payload));
      expect(equal.as(whole)).not.toBe(frame.as(whole));
      expect(equal.as(whole)).toEqual(frame.as(whole));
    }
  });
});

describe('frames of commands', () => {
  const id = fc.string({ unit: 'grapheme', maxLength: 20 });
  const seq = fc.maxSafeNat();
  // JavaScript objects that are made of decoded messages cannot have such a key.
  const isPossible = (value: unknown) => !JSON.stringify(value).includes('"__proto__"');
  const data = fc.dictionary(id, fc.jsonValue({ maxDepth: 3 })).filter(isPossible);
  const body: fc.Arbitrary<Command['command']> = fc.oneof(
    fc.record({
      $case: fc.constant('sendMessage' as const),
      value: fc.record({
        chatId: id,
        text: id,
        clientMessageId: id,
        data: fc.option(data, { nil: undefined }),
        type: id,
        silent: fc.boolean(),
        replyToId: fc.option(id, { nil: undefined }),
        rootId: fc.option(id, { nil: undefined }),
        mentions: fc.array(fc.record({ userId: id, everyone: fc.boolean(), offset: fc.nat(), length: fc.nat() })),
      }),
    }),
    fc.record({
      $case: fc.constant('subscribe' as const),
      value: fc.record({ chatId: id, afterSeq: fc.option(seq, { nil: undefined }) }),
    }),
    fc.record({ $case: fc.constant('markRead' as const), value: fc.record({ chatId: id, seq }) }),
    fc.record({ $case: fc.constant('ping' as const), value: fc.constant({}) }),
  );
  const commands = fc.array(fc.record({ commandId: id, command: body }), { maxLength: 5 });

  test('mean the same in both encodings', () => {
    fc.assert(
      fc.property(commands, (sent) => {
        const binary = Buffer.from(ConnectChatRequest.encode({ commands: sent }).finish());
        const text = Buffer.from(JSON.stringify(ConnectChatRequest.toJSON({ commands: sent })));
        expect(protobuf.decode(binary)).toEqual(sent);
        expect(json.decode(text)).toEqual(sent);
      }),
    );
  });

  test('that cannot be decoded are refused as a whole or command by command, with no other error', () => {
    const rubbish = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.array(fc.jsonValue()).map((list) => Buffer.from(JSON.stringify({ commands: list }))),
    );
    fc.assert(
      fc.property(rubbish, (bytes) => {
        for (const codec of [protobuf, json]) {
          try {
            for (const command of codec.decode(Buffer.from(bytes))) {
              if ('error' in command) expect(command.error).toMatchObject({ code: 'INVALID_ARGUMENT' });
            }
          } catch (error) {
            expect(error).toBeInstanceOf(ChatError);
            expect(['MALFORMED_FRAME', 'FRAME_LIMIT']).toContain((error as ChatError).reason);
          }
        }
      }),
    );
  });

  test('that have too many commands are refused before a command is decoded', () => {
    const most = 1_048_576;
    const bytes = Buffer.alloc(most, Buffer.from([0x0a, 0x00]));
    const text = Buffer.from(`{"commands":[${Array(most / 2).fill('0')}]}`);
    const refused = expect.objectContaining({ reason: 'FRAME_LIMIT' });
    const reading = vi.spyOn(MessageJson.prototype, 'read');
    const decoding = vi.spyOn(Command, 'decode');
    expect(() => protobuf.decode(bytes)).toThrow(refused);
    expect(() => json.decode(text)).toThrow(refused);
    expect(reading).not.toHaveBeenCalled();
    expect(decoding).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    expect(protobuf.decode(bytes.subarray(0, 2 * limits.maxCommands))).toHaveLength(limits.maxCommands);
  });
});
