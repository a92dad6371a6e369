import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Message } from '../../../pkg/chat-client/index.ts';
import { flakyClient } from '../../testing/clients/flaky-client.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

// Slow: more than a thousand messages while the connections break again and again.
const messagesEach = 400;

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

test('clients whose connections break repeatedly get every message once and in order, and one acknowledgement for every send', async () => {
  const [alice, bob, carol] = await Promise.all(
    ['alice', 'bob', 'carol'].map((name) => flakyClient(service.address, name)),
  );
  const clients = [alice!, bob!, carol!];
  const name = uniqueName('shaky');
  const room = await alice!.client.joinRoom(name);
  for (const { client } of clients.slice(1)) await client.joinRoom(name);
  const heard = clients.map(({ client }) => {
    const messages: Message[] = [];
    client.on('message', (message) => message.chatId === room.id && messages.push(message));
    return messages;
  });

  let acknowledged = 0;
  const sending = clients.map(async ({ client }, writer) => {
    const receipts = [];
    for (let i = 0; i < messagesEach; i += 1) {
      receipts.push(client.send(room.id, `${writer}:${i}`).finally(() => (acknowledged += 1)));
      if (i % 10 === 9) await receipts.at(-10);
    }
    return Promise.all(receipts);
  });
  let finished = false;
  const cutting = (async () => {
    for (let round = 0; !finished; round += 1) {
      const before = acknowledged;
      clients[round % clients.length]!.link.cut();
      // Progress between two cuts.
      await eventually(() => expect(finished || acknowledged > before + 20).toBe(true));
    }
  })();
  const receipts = await Promise.all(sending);
  finished = true;
  await cutting;

  const total = clients.length * messagesEach;
  const seqs = receipts.flat().map(({ seq }) => seq);
  expect(new Set(seqs).size).toBe(total);
  expect(Math.max(...seqs) - Math.min(...seqs)).toBe(total - 1);
  for (const sent of receipts)
    expect(sent.map(({ seq }) => seq)).toEqual(sent.map(({ seq }) => seq).sort((a, b) => a - b));
  await eventually(() => {
    for (const messages of heard) expect(messages.at(-1)?.seq).toBe(Math.max(...seqs));
  });
  for (const messages of heard) {
    const own = messages.filter(({ system }) => !system).map(({ seq }) => seq);
    expect(own).toEqual([...seqs].sort((a, b) => a - b));
  }
  for (const { client, link } of clients) {
    expect(link.cuts).toBeGreaterThan(3);
    expect(client.pendingSends).toBe(0);
  }
});
