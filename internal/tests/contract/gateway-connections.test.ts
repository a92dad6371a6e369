import { afterAll, beforeAll, expect, test } from 'vitest';
import { signIn } from '../../testing/clients/person.ts';
import { SocketClient } from '../../testing/clients/socket-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ ARRIVALS_PER_SECOND: '100000' });
});
afterAll(() => service.stop());

test('one gateway carries more streams to a service than a connection may have', async () => {
  const gateway = await ChildService.start({ GATEWAY_UPSTREAMS: service.address }, 'gateway');
  const { token } = await signIn(service.transport(), 'alice');
  const sockets = await Promise.all(Array.from({ length: 450 }, () => SocketClient.connect(gateway.url, { token })));
  const answers = await Promise.all(sockets.map((socket) => socket.ask(commands.ping())));
  expect(new Set(answers.map(({ $case }) => $case))).toEqual(new Set(['pong']));
  // Calls find room beside the streams.
  const response = await fetch(`${gateway.url}/v1/chats`, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
});
