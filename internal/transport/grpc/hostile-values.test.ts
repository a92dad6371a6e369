import { type DescField, ScalarType } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatServiceDefinition, type StartFrom } from '../../../pkg/api/chat/v1/chat.ts';
import type { ChatClientError } from '../../../pkg/chat-client/errors/chat-error.ts';
import { newGroup, newRoom, type Person, personOf, say } from '../../testing/clients/person.ts';
import { type CommandBody, commands } from '../../testing/clients/stream-probe.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { descriptorOf } from '../../testing/fields/filled-json.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

const log = new LogLines();
let service: TestService;
let mallory: Person;
let chatIds: string[];
beforeAll(async () => {
  service = await startTestService({}, { log: log.logger });
  const { token } = await issueToken(service.dsn, { userId: 'mallory', roles: ['user', 'admin'] });
  mallory = personOf(service.transport(), { id: 'mallory', name: 'mallory', token });
  const [room, group] = [await newRoom(mallory), await newGroup(mallory)];
  for (let i = 0; i < 3; i += 1) await say(mallory, group, `${i}`);
  chatIds = [room.id, group.id];
});
afterAll(() => service.stop());

const pageToken = (key: unknown) => Buffer.from(JSON.stringify(key)).toString('base64url');

const text = fc.oneof(
  fc.constantFrom(
    '',
    '\0',
    'a\0b',
    '\u0001',
    '\ud800',
    '\u202e',
    '\ufeff',
    "'; drop table chats; --",
    '%',
    '\\',
    '{}',
    '$1',
  ),
  fc.constantFrom(
    'x'.repeat(129),
    '👋'.repeat(128),
    'constructor',
    '__proto__',
    'null',
    '../../etc/passwd',
    '\u{10ffff}',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const id = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 1 }).map((i) => chatIds[i] ?? '') },
  fc.uuid(),
  text,
);
const token = fc.oneof(
  text,
  fc.jsonValue().map(pageToken),
  text.map(pageToken),
  fc
    .record({
      changedAt: fc.oneof(
        text,
        fc.constantFrom(
          '0000-01-01 00:00:00+00',
          '2020-02-30 00:00:00+00',
          '2020-01-01 24:00:00+00',
          '2020-01-01 00:00:60+00',
        ),
        fc.constantFrom('9999-12-31 23:59:59.999999+15:59', '2020-01-01 00:00:00+16', '2020-01-01 00:00:00-15:59:59'),
        fc.constantFrom('2020-01-01 00:00:00.1+00', '2020-13-45 99:99:99+00', 'infinity', 'now'),
      ),
      id: fc.oneof(id, fc.constant('-'.repeat(36))),
      since: fc.oneof(text, fc.constantFrom('0', '3', '4294967295', '4294967296', '-1')),
      moved: fc.oneof(fc.boolean(), text),
    })
    .map(pageToken),
);
const number = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 200, 201, 2 ** 31 - 1, -(2 ** 31)));
const place = fc.oneof(number, fc.constantFrom(2 ** 53 - 1, -(2 ** 53 - 1)));
/** Every timestamp that protobuf can hold, valid or not. */
const date = fc.option(
  fc.date({ noInvalidDate: true, min: new Date(-62_135_596_800_000), max: new Date(253_402_300_799_999) }),
  {
    nil: undefined,
  },
);
/** An object that JSON can or cannot hold, small, large or nested deep. */
const object = fc.dictionary(
  text,
  fc.oneof(
    text,
    fc.jsonValue({ stringUnit: 'binary' }),
    fc.double(),
    fc.constantFrom('x'.repeat(5_120), Array(2_000).fill(1e300)),
    fc.constantFrom(15, 16, 30).map((levels) => JSON.parse('['.repeat(levels) + ']'.repeat(levels))),
  ),
  { maxKeys: 3 },
);
const texts = fc.array(text, { maxLength: 4 });

/** What a field of a request might be thought to hold, by its type and name. */
function hostile(field: DescField): fc.Arbitrary<unknown> {
  if (field.fieldKind === 'list') return texts;
  if (field.fieldKind === 'enum') return fc.integer({ min: -1, max: 5 });
  if (field.message?.typeName === 'google.protobuf.Timestamp') return date;
  if (field.message?.typeName === 'google.protobuf.Struct') return fc.option(object, { nil: undefined });
  if (field.scalar === ScalarType.STRING && ['chatId', 'messageId'].includes(field.localName)) return id;
  if (field.scalar === ScalarType.STRING) return field.localName === 'pageToken' ? token : text;
  if (field.scalar === ScalarType.INT32) return number;
  if (field.scalar === ScalarType.INT64) return place;
  if (field.scalar === ScalarType.BOOL) return fc.boolean();
  throw new TypeError(`say what ${field} might be thought to hold`);
}

/** The chats of the test must not be deleted or left. */
const others = { chatId: fc.oneof(fc.uuid(), text) };
const instead: Partial<Record<string, Record<string, fc.Arbitrary<unknown>>>> = {
  deleteChat: others,
  leaveChat: others,
};

/** Every field of a unary request. */
function requestOf(method: string): fc.Arbitrary<object> {
  const { fields } = descriptorOf(`chat.v1.${method[0]!.toUpperCase()}${method.slice(1)}Request`);
  const values = fields.map((field) => {
    const value = instead[method]?.[field.localName] ?? hostile(field);
    return [field.localName, field.proto.proto3Optional ? fc.option(value, { nil: undefined }) : value] as const;
  });
  return fc.record(Object.fromEntries(values));
}

const methods = Object.entries(ChatServiceDefinition.methods).flatMap(([method, { requestStream }]) =>
  requestStream ? [] : [method as keyof Person['chat']],
);

const clear = ['INVALID_ARGUMENT', 'NOT_FOUND', 'ALREADY_EXISTS', 'OUT_OF_RANGE'];

test.for(methods)('%s answers whatever it is asked', async (method) => {
  const call = mallory.chat[method] as (request: unknown) => Promise<unknown>;
  await fc.assert(
    fc.asyncProperty(requestOf(method), async (request) => {
      const error = await call(request).then(
        () => undefined,
        (refusal: ChatClientError) => refusal,
      );
      if (!error) return;
      expect(clear).toContain(error.code);
      expect(error.reason).not.toBe('');
      if (error.code === 'INVALID_ARGUMENT') expect(error.violations).not.toEqual([]);
    }),
    { numRuns: 150 },
  );
  expect(log.errors).toEqual([]);
});

test('a stream answers every command, whatever its fields hold, and stays open', async () => {
  const stream = await mallory.connect();
  const cursors = fc.dictionary(fc.oneof(id, text), place, { maxKeys: 3 });
  const command: fc.Arbitrary<CommandBody> = fc.oneof(
    fc
      .tuple(id, fc.option(place, { nil: undefined }))
      .map(([chatId, afterSeq]) => commands.subscribe(chatId, afterSeq)),
    fc
      .tuple(id, place, text)
      .map(([chatId, afterSeq, epoch]): CommandBody => ({ $case: 'subscribe', value: { chatId, afterSeq, epoch } })),
    fc
      .tuple(cursors, fc.integer({ min: -1, max: 5 }), fc.dictionary(fc.oneof(id, text), text, { maxKeys: 3 }))
      .map(([seen, others, epochs]) => commands.subscribeAll(seen, others as StartFrom, epochs)),
    id.map(commands.unsubscribe),
    fc.tuple(id, text, text).map(([chatId, content, key]) => commands.send(chatId, content, key)),
    text.map(commands.authenticate),
  );
  await fc.assert(
    fc.asyncProperty(command, async (body) => {
      const answer = await stream.ask(body);
      if (answer.$case === 'rejected') expect(answer.value.status).not.toMatchObject({ code: 13 });
    }),
    { numRuns: 300 },
  );
  expect(await stream.ask(commands.ping())).toMatchObject({ $case: 'pong' });
  expect(log.errors).toEqual([]);
});
