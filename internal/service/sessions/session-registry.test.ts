import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ConnectChatResponse } from '../../../pkg/api/chat/v1/chat.ts';
import { ProtobufEventEncoder } from '../../converter/event.ts';
import { ChatError } from '../../model/errors.ts';
import { storageUnavailable } from '../../repository/postgres/connection/storage-error.ts';
import { eventually } from '../../testing/eventually.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { principalOf, startTestNode, type TestNode } from '../../testing/services/test-node.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';
import { frameIterator } from './frame-iterator.ts';
import { IteratedInbox } from './inbox.ts';

let storage: TestStorage;
let node: TestNode;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterEach(() => node.stop());
afterAll(() => storage.close());

const draining = new ChatError('DRAINING', 'stopping');

/** A stream that sends nothing; tells what it was told and how it ended. */
function open(userId: string, signal = new AbortController().signal) {
  const kinds: string[] = [];
  const retries: number[] = [];
  const run = async (): Promise<unknown> => {
    async function* nothing(): AsyncGenerator<never> {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    }
    try {
      const encoder = new ProtobufEventEncoder();
      for await (const frame of frameIterator(
        node.sessions.run.bind(
          node.sessions,
          { principal: principalOf(userId), encoder, transport: 'grpc' },
          new IteratedInbox(nothing(), (frame) => frame),
        ),
        signal,
      )) {
        for (const { event } of ConnectChatResponse.decode(frame.bytes).events) {
          kinds.push(event!.$case);
          if (event?.$case === 'closing') retries.push(event.value.retryAfterMs);
        }
      }
      return undefined;
    } catch (error) {
      return error;
    }
  };
  return { kinds, retries, ended: run() };
}

const online = async () => (await node.presence.list(10)).map(({ id, name }) => `${id}: ${name}`);

test('a user is online, and known by name, while a stream of theirs is open', async () => {
  node = await startTestNode(storage);
  const controllers = [new AbortController(), new AbortController()];
  const streams = controllers.map(({ signal }) => open('alice', signal));
  await eventually(() => expect(streams.map(({ kinds }) => kinds)).toEqual([['welcome'], ['welcome']]));
  expect([node.sessions.size, await online()]).toEqual([2, ["alice: alice's name"]]);
  const { chat } = await storage.chats.openDirect({ id: 'bob', name: '' }, 'alice');
  expect(chat.peer?.name).toBe("alice's name");
  controllers[0]?.abort();
  await streams[0]?.ended;
  expect([node.sessions.size, await online()]).toEqual([1, ["alice: alice's name"]]);
  controllers[1]?.abort();
  await streams[1]?.ended;
  expect([node.sessions.size, await online()]).toEqual([0, []]);
});

test('a stream opens also when the user’s name cannot be remembered', async () => {
  const users = withFaults(storage.users, () => ({ remember: () => Promise.reject(storageUnavailable('away')) }));
  node = await startTestNode(storage, { users });
  const controller = new AbortController();
  const { kinds, ended } = open('alice', controller.signal);
  await eventually(() => expect(kinds).toEqual(['welcome']));
  controller.abort();
  await ended;
});

test('all are closed with a random retry time each, those that are just opening too, and no new one is admitted', async () => {
  node = await startTestNode(storage);
  const streams = Array.from({ length: 20 }, (_, i) => open(`user ${i}`));
  await eventually(() => expect(streams.filter(({ kinds }) => kinds.includes('welcome')).length).toBe(20));
  const opening = open('late');
  await node.sessions.closeAll('DRAINING', draining, 1_000);
  const after = open('too late');
  expect(await Promise.all([...streams, opening, after].map(({ ended }) => ended))).toEqual(Array(22).fill(draining));
  for (const { kinds } of streams) expect(kinds).toEqual(['welcome', 'closing']);
  const retries = streams.flatMap((stream) => stream.retries);
  expect(new Set(retries).size).toBeGreaterThan(10);
  for (const retryAfterMs of retries) expect(retryAfterMs).toBeLessThanOrEqual(1_000);
  expect([node.sessions.size, await online()]).toEqual([0, []]);
});
