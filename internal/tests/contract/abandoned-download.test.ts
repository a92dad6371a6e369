import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { ChildService } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

test('a client that leaves in the middle of a download leaves no trace in the log', async () => {
  const service = await ChildService.start({ POSTGRES_DSN: await createTestDatabase() });
  const { hostname, port } = new URL(service.url);
  for (let i = 0; i < 3; i += 1) {
    const socket = connect(Number(port), hostname);
    // More than the buffers between the two hold.
    for (let file = 0; file < 20; file += 1)
      socket.write(`GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
    await once(socket, 'data');
    socket.destroy();
  }
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  service.signal('SIGTERM');
  expect(await service.exited).toEqual({ code: 0, signal: null });
  expect(service.stderr).not.toMatch(/error|^ +at /im);
});
