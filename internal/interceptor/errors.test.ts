import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ChatClientError } from '../../pkg/chat-client/errors/chat-error.ts';
import { errorFromStatus } from '../../pkg/chat-client/errors/status.ts';
import { newGroup, type Person, say, signIn } from '../testing/clients/person.ts';
import { commands } from '../testing/clients/stream-probe.ts';
import { LogLines } from '../testing/collectors/log-lines.ts';
import { startTestService, type TestService } from '../testing/services/test-service.ts';

/** Texts that may appear in the log but must not reach a client. */
const inside = /relation|column|select|insert|function|\.ts|node_modules|postgres|\/work|at async|read_seq|audit_log/i;

const log = new LogLines();
let service: TestService;
let alice: Person;
let group: { id: string };
beforeAll(async () => {
  service = await startTestService({}, { log: log.logger });
  alice = await signIn(service.transport(), 'alice');
  group = await newGroup(alice);
  // From here on, the service's queries fail with an error for which it has no code.
  const client = new pg.Client({ connectionString: service.dsn });
  await client.connect();
  await client.query(
    'alter table audit_log rename to audit_log_2; alter table members rename column read_seq to old_seq',
  );
  await client.end();
});
afterAll(() => service.stop());

test('an unexpected error is logged in full, and the client gets only a trace id', async () => {
  const error: ChatClientError = await alice.chat.addMembers({ chatId: group.id, userIds: ['bob'] }).catch((e) => e);

  expect(error).toMatchObject({ code: 'INTERNAL', reason: 'INTERNAL', violations: [], retryAfterMs: undefined });
  const [, traceId] = /^internal error \(trace id ([0-9a-f]{32})\)$/.exec(error.message) ?? [];
  expect(JSON.stringify({ ...error, cause: undefined, message: error.message })).not.toMatch(inside);
  expect(log.lines.find((line) => line.traceId === traceId && line.err)).toMatchObject({
    level: 50,
    method: 'AddMembers',
    err: { message: expect.stringContaining('audit_log'), stack: expect.stringContaining('.ts') },
  });
  expect(log.lines.find((line) => line.traceId === traceId && line.msg === 'call')).toMatchObject({ code: 'INTERNAL' });
});

test('an unexpected error of a command is answered the same way, and the stream stays open', async () => {
  const stream = await alice.connect();

  const answer = await stream.ask(commands.markRead(group.id, 1));

  const error = answer.$case === 'rejected' ? errorFromStatus(answer.value.status!) : expect.unreachable(answer.$case);
  const { sessionId } = await stream.nextOf('welcome');
  expect(error).toMatchObject({ code: 'INTERNAL', message: `internal error (session ${sessionId})` });
  expect(JSON.stringify(answer)).not.toMatch(inside);
  expect(log.errors.filter((line) => line.sessionId === sessionId)).toHaveLength(1);
  expect(await stream.ask(commands.ping())).toMatchObject({ $case: 'pong' });
});

test('expected errors do not reveal internals either', async () => {
  const errors: ChatClientError[] = await Promise.all(
    [
      alice.chat.getChat({ chatId: 'nonsense' }),
      alice.chat.listChats({ pageToken: 'nonsense' }),
      alice.chat.removeMember({ chatId: group.id, userId: 'nobody' }),
      say(alice, { id: '00000000-0000-4000-8000-000000000000' }, 'x'),
    ].map((call) =>
      call.then(
        () => expect.unreachable(),
        (error) => error,
      ),
    ),
  );
  for (const { message, violations } of errors) expect(JSON.stringify([message, violations])).not.toMatch(inside);
});
