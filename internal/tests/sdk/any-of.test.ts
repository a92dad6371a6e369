import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { anyOf, ChatClient, guest, type Transport, webSocketTransport } from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService } from '../../testing/services/test-service.ts';

async function twoNodes() {
  const dsn = await createTestDatabase();
  const nodes = await Promise.all([startTestService({}, { dsn }), startTestService({}, { dsn })]);
  onTestFinished(async () => {
    for (const node of nodes) await node.stop();
  });
  return nodes;
}

const ways: Record<string, (node: { address: string; url: string }) => Transport> = {
  gRPC: ({ address }) => grpcTransport(address),
  WebSocket: ({ url }) => webSocketTransport(url),
};

test.each(Object.keys(ways))('over %s, the clients of a node that stops continue at the other one', async (way) => {
  const nodes = await twoNodes();
  const clients = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const client = new ChatClient({ transport: anyOf(nodes.map(ways[way]!)), token: guest(uniqueName('user')) });
      onTestFinished(() => client.close());
      await client.connect();
      const texts: string[] = [];
      client.on('message', ({ system, text }) => system ?? texts.push(text));
      return { client, texts };
    }),
  );
  const [first] = clients;
  const { id, name } = await first!.client.joinRoom(uniqueName('room'));
  for (const { client } of clients.slice(1)) await client.joinRoom(name);
  await first!.client.send(id, 'before');
  await nodes[0]!.stop();
  await Promise.all(clients.map(({ client }, i) => client.send(id, `after ${i}`)));
  await eventually(() => {
    for (const { texts } of clients) {
      expect(texts.toSorted()).toEqual(['after 0', 'after 1', 'after 2', 'after 3', 'before']);
      expect(texts).toEqual(first!.texts);
    }
  });
  expect(nodes[1]!.app.sessions.size).toBe(4);
});

test.each(Object.keys(ways))(
  'over %s, a call after one that a hanging node did not answer goes to the next node',
  async (way) => {
    const service = await startTestService();
    const open = new Set<Socket>();
    const silent = createServer((socket) => void open.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const nodes = [{ address, url: `http://${address}` }, service].map(ways[way]!);
    vi.spyOn(Math, 'random').mockReturnValueOnce(0);
    const transport = anyOf(nodes);
    onTestFinished(async () => {
      transport.close();
      for (const socket of open) socket.destroy();
      silent.close();
      await service.stop();
    });
    const token = await service.token(uniqueName('user'));

    await expect(transport.chat.listRooms({}, { token })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });

    expect((await transport.chat.listRooms({}, { token })).rooms).toHaveLength(1);
  },
);

test('anyOf without transports throws', () => {
  expect(() => anyOf([])).toThrow('at least one');
});
