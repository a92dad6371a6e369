import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StartFrom } from '../../../pkg/api/chat/v1/chat.ts';
import type { ChatClientError } from '../../../pkg/chat-client/errors/chat-error.ts';
import { newGroup, newRoom, type Person, personOf, say } from '../../testing/clients/person.ts';
import { type CommandBody, commands } from '../../testing/clients/stream-probe.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
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
const texts = fc.array(text, { maxLength: 4 });

/** Every field of every unary request, with values of its type. */
const requests = {
  createChat: fc.record({ type: fc.integer({ min: -1, max: 5 }), name: text, memberIds: texts }),
  getChat: fc.record({ chatId: id }),
  listChats: fc.record({ pageSize: number, pageToken: token }),
  deleteChat: fc.record({ chatId: fc.oneof(fc.uuid(), text) }),
  addMembers: fc.record({ chatId: id, userIds: texts }),
  listMembers: fc.record({ chatId: id, pageSize: number, pageToken: token }),
  updateMember: fc.record({ chatId: id, userId: text, role: fc.integer({ min: -1, max: 5 }) }),
  removeMember: fc.record({ chatId: id, userId: text }),
  banMember: fc.record({ chatId: id, userId: text, reason: text, expiresAt: date }),
  unbanMember: fc.record({ chatId: id, userId: text }),
  listBans: fc.record({ chatId: id, pageSize: number, pageToken: token }),
  leaveChat: fc.record({ chatId: fc.oneof(fc.uuid(), text) }),
  listRooms: fc.record({ filter: text, pageSize: number, pageToken: token }),
  joinRoom: fc.record({ name: text }),
  sendMessage: fc.record({ chatId: id, clientMessageId: text, text }),
  getMessage: fc.record({ chatId: id, messageId: id }),
  listMessages: fc.record(
    { chatId: id, beforeSeq: place, afterSeq: place, pageSize: number },
    { requiredKeys: ['chatId', 'pageSize'] },
  ),
  markRead: fc.record({ chatId: id, seq: place }),
  listOnlineUsers: fc.record({ chatId: fc.option(id, { nil: undefined }), pageSize: number, pageToken: token }),
  banUser: fc.record({ userId: text, reason: text, expiresAt: date }),
  unbanUser: fc.record({ userId: text }),
  listBannedUsers: fc.record({ pageSize: number, pageToken: token }),
  listAuditEvents: fc.record({
    chatId: fc.option(id, { nil: undefined }),
    actorId: text,
    pageSize: number,
    pageToken: token,
  }),
} satisfies Record<keyof Person['chat'], fc.Arbitrary<object>>;

const clear = ['INVALID_ARGUMENT', 'NOT_FOUND', 'ALREADY_EXISTS', 'OUT_OF_RANGE'];

test.for(Object.keys(requests) as (keyof typeof requests)[])('%s answers any values of its fields', async (method) => {
  const call = mallory.chat[method] as (request: unknown) => Promise<unknown>;
  await fc.assert(
    fc.asyncProperty(requests[method] as fc.Arbitrary<object>, async (request) => {
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
      .tuple(cursors, fc.integer({ min: -1, max: 5 }))
      .map(([seen, others]) => commands.subscribeAll(seen, others as StartFrom)),
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
