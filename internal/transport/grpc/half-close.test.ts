import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConnectChatRequest, ConnectChatResponse } from '../../../pkg/api/chat/v1/chat.ts';
import { newGroup, type Person, say, signIn } from '../../testing/clients/person.ts';
import { RawClient } from '../../testing/clients/raw-client.ts';
import { type CommandBody, commands, type EventBody } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
let alice: Person;
beforeAll(async () => {
  service = await startTestService();
  alice = await signIn(service.transport(), 'alice');
});
afterAll(() => service.stop());

/** Sends all commands, half-closes at once and waits for the end. */
async function converse(...bodies: CommandBody[]): Promise<{ code: number; events: EventBody[] }> {
  const call = new RawClient(service.address).connect(alice.token);
  const events: EventBody[] = [];
  call.on('data', (frame: Buffer) => {
    for (const { event } of ConnectChatResponse.decode(frame).events) if (event) events.push(event);
  });
  for (const [i, command] of bodies.entries()) {
    call.write(ConnectChatRequest.encode({ commands: [{ commandId: `${i}`, command }] }).finish());
  }
  call.end();
  const code = await new Promise<number>((resolve) => call.on('status', (end) => resolve(end.code)));
  return { code, events };
}

test('a client that half-closes gets every answer, and the stream ends without an error', async () => {
  const group = await newGroup(alice);
  const sends = Array.from({ length: 100 }, (_, i) => commands.send(group.id, `${i}`));

  const { code, events } = await converse(...sends, commands.send('nonsense', 'x'), commands.ping());

  expect(code).toBe(status.OK);
  const accepted = events.filter((event) => event.$case === 'accepted');
  expect(accepted.map(({ value }) => value.seq)).toEqual(sends.map((_, i) => i + 2));
  expect(events.filter(({ $case }) => $case === 'rejected' || $case === 'pong')).toHaveLength(2);
  await eventually(() => expect(service.app.sessions.size).toBe(0));
});

test('a client that half-closes at once gets only welcome, and the stream ends', async () => {
  expect(await converse()).toMatchObject({ code: status.OK, events: [{ $case: 'welcome' }] });
});

test('half-closing ends subscriptions too: the client can no longer send unsubscribe', async () => {
  const group = await newGroup(alice);
  await say(alice, group, 'old');
  const { code, events } = await converse(commands.subscribe(group.id, 0));
  expect(code).toBe(status.OK);
  expect(events.map(({ $case }) => $case)).toEqual(expect.arrayContaining(['welcome', 'subscribed']));
});
