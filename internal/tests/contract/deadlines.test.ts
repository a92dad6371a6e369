import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SendMessageRequest } from '../../../pkg/api/chat/v1/chat.ts';
import { newGroup, newRoom, type Person, personOf, say, signIn } from '../../testing/clients/person.ts';
import { headers, RawClient } from '../../testing/clients/raw-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { holdChat, holdMessages, lockWaits } from '../../testing/faults/row-lock.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const log = new LogLines();
/** Gives up early. Only calls that must fail go to it: a busy machine may need longer for others. */
let service: TestService;
/** Gives up nothing, on the same database. */
let patient: TestService;
let alice: Person;
/** Alice at the service that gives up early. */
let hasty: Person;
beforeAll(async () => {
  service = await startTestService({ CALL_TIMEOUT_MS: '800', WRITER_GIVE_UP_MS: '400' }, { log: log.logger });
  patient = await startTestService({}, { dsn: service.dsn, log: log.logger });
  alice = await signIn(patient.transport(), 'alice');
  hasty = personOf(service.transport(), alice);
});
afterAll(async () => {
  await patient.stop();
  await service.stop();
});

test('a call that waits for the database ends after CALL_TIMEOUT_MS, with the reason', async () => {
  const group = await newGroup(alice);
  const release = await holdChat(service.dsn, group);
  const begun = performance.now();

  const added = hasty.chat.addMembers({ chatId: group.id, userIds: ['bob'] });

  await expect(added).rejects.toMatchObject({
    retryAfterMs: expect.any(Number),
    code: expect.stringMatching(/^(DEADLINE_EXCEEDED|UNAVAILABLE)$/),
    reason: expect.stringMatching(/^(TIMED_OUT|STORAGE_UNAVAILABLE)$/),
  });
  expect(performance.now() - begun).toBeGreaterThan(700);
  await release();
});

test("the client's own deadline ends the call, and the service stops waiting too", async () => {
  const group = await newGroup(alice);
  const release = await holdChat(service.dsn, group);
  const request = SendMessageRequest.encode(
    SendMessageRequest.fromPartial({ chatId: group.id, clientMessageId: 'x', text: 'late' }),
  ).finish();
  let refused = false;
  const withoutDeadline = say(hasty, group, 'held up').catch(() => {
    refused = true;
  });

  const call = new RawClient(service.address).call('/chat.v1.ChatService/SendMessage', request, headers(alice.token), {
    deadline: Date.now() + 150,
  });

  await expect(call).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  expect(refused).toBe(false);
  await withoutDeadline;
  await eventually(() =>
    expect(log.lines).toContainEqual(expect.objectContaining({ method: 'SendMessage', code: 'CANCELLED' })),
  );
  await release();
});

test('a cancelled send that waits for its turn is withdrawn; one that is being committed is not', async () => {
  const group = await newGroup(alice);
  const { chat } = patient.transport();
  const release = await holdMessages(service.dsn);
  const cancelled = () =>
    log.lines.filter(({ method, code }) => method === 'SendMessage' && code === 'CANCELLED').length;
  const before = cancelled();
  const send = (clientMessageId: string, signal?: AbortSignal) =>
    chat.sendMessage({ chatId: group.id, clientMessageId, text: clientMessageId }, { token: alice.token, signal });
  const cancels = [new AbortController(), new AbortController()];
  const committing = send('committing', cancels[0]!.signal);
  committing.catch(() => {});
  await lockWaits(service.dsn, 1);
  const queued = send('queued', cancels[1]!.signal);
  const staying = send('staying');
  // A call on the same connection: when it has been answered, the service has received those before it.
  await chat.getChat({ chatId: group.id }, { token: alice.token });

  for (const cancel of cancels) cancel.abort();
  await expect(committing).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(queued).rejects.toMatchObject({ code: 'CANCELLED' });
  await eventually(() => expect(cancelled()).toBe(before + 2));
  await release();

  expect(await staying).toMatchObject({ seq: 3 });
  const { messages } = await alice.chat.listMessages({ chatId: group.id });
  expect(messages.map(({ text }) => text)).toEqual(['', 'committing', 'staying']);
});

test('a chat that cannot be written does not delay other chats', async () => {
  const [stuck, free] = [await newGroup(alice), await newRoom(alice)];
  const release = await holdChat(service.dsn, stuck);
  const late = say(alice, stuck, 'late');
  late.catch(() => {});
  await lockWaits(service.dsn, 1);

  for (let i = 0; i < 5; i += 1) await say(alice, free, `${i}`);

  await release();
  await expect(late).resolves.toMatchObject({ seq: 2 });
});

test('a send that times out on a stream is refused with the reason, and may be sent again', async () => {
  const group = await newGroup(alice);
  const stream = await hasty.connect();
  const release = await holdChat(service.dsn, group);

  const answer = await stream.ask(commands.send(group.id, 'held up', 'again'));

  expect(answer).toMatchObject({ $case: 'rejected', value: { status: { code: status.UNAVAILABLE } } });
  await release();
  await eventually(async () =>
    expect(await stream.ask(commands.send(group.id, 'held up', 'again'))).toMatchObject({ $case: 'accepted' }),
  );
  expect((await alice.chat.listMessages({ chatId: group.id })).messages).toHaveLength(2);
});

test('a call whose deadline has passed is not sent', async () => {
  const group = await newGroup(alice);
  const request = SendMessageRequest.encode(
    SendMessageRequest.fromPartial({ chatId: group.id, clientMessageId: 'x', text: 'x' }),
  ).finish();
  const raw = new RawClient(service.address);
  await expect(
    raw.call('/chat.v1.ChatService/SendMessage', request, headers(alice.token), { deadline: Date.now() - 1 }),
  ).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  expect((await alice.chat.getChat({ chatId: group.id })).chat?.lastSeq).toBe(1);
});
