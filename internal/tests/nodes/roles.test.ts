import { afterAll, beforeAll, expect, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

test('processes with one role each form one service together', async () => {
  const common = {
    POSTGRES_DSN: await createTestDatabase(),
    BUS_URL: `nats://127.0.0.1:${nats.port}`,
    INGEST: 'jetstream',
    EXPORT: 'jetstream',
  };
  const start = (ROLES: string, env: Record<string, string> = {}) => ChildService.start({ ...common, ROLES, ...env });
  const chat = await start('grpc');
  const [gateway, auth, background] = await Promise.all([
    start('gateway', { GATEWAY_UPSTREAMS: chat.address }),
    start('auth'),
    start('writer,relay'),
  ]);
  // This process serves neither HTTP nor accounts.
  expect(chat.stderr).not.toContain('HTTP');
  expect(background.stderr).toMatch(/messages +from the stream CHAT_INGEST.*changes .*CHAT_EVENTS/s);
  const [atChat, atAuth] = [grpcTransport(chat.address), grpcTransport(auth.address)];
  try {
    await expect(atChat.auth.guest({ name: 'alice' }, {})).rejects.toMatchObject({ code: 'UNIMPLEMENTED' });
    // Both processes use the same database, and so the same signing keys.
    const { accessToken: token } = await atAuth.auth.guest({ name: 'alice' }, {});
    const alice = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const post = async (path: string, body: object) => {
      const answer = await fetch(`${gateway.url}${path}`, {
        method: 'POST',
        headers: alice,
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(200);
      return (await answer.json()) as { chat: { id: string } };
    };
    const { chat: room } = await post('/v1/rooms/roles:join', {});
    await post(`/v1/chats/${room.id}/messages`, { text: 'by way of all of them', clientMessageId: 'one' });
    await eventually(async () => {
      const answer = await fetch(`${gateway.url}/v1/chats/${room.id}/messages`, { headers: alice });
      const { messages } = (await answer.json()) as { messages: { text: string }[] };
      expect(messages.map(({ text }) => text)).toContain('by way of all of them');
    });
  } finally {
    atChat.close();
    atAuth.close();
  }
});

test.each([
  ['grpc,chat', 'ROLES must be some of grpc, gateway, auth, writer, relay; not: chat'],
  ['gateway,writer', 'ROLES: gateway runs alone or together with grpc'],
  ['writer', 'INGEST must be jetstream for the role writer'],
  ['relay', 'EXPORT must be jetstream for the role relay'],
])('ROLES=%s is refused, with the reason', async (ROLES, reason) => {
  const service = ChildService.spawn({ ROLES, POSTGRES_DSN: 'postgres://nobody@127.0.0.1:1/none' });
  expect(await service.exited).toEqual({ code: 2, signal: null });
  expect(service.stderr).toContain(reason);
});
