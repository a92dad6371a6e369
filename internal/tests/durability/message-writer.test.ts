import { expect, test } from 'vitest';
import { ChildService } from '../../testing/services/child-service.ts';

test('a writer without the address of NATS or of the database says which setting is missing', async () => {
  const writer = ChildService.spawn({ GRPC_PORT: '0' }, 'message-writer');
  expect(await writer.exited).toEqual({ code: 2, signal: null });
  expect(writer.stderr).toContain('INGEST=jetstream needs NATS_URL');

  const bundled = ChildService.spawn({ NATS_URL: 'nats://127.0.0.1:4222' }, 'message-writer');
  expect(await bundled.exited).toEqual({ code: 2, signal: null });
  expect(bundled.stderr).toContain('POSTGRES_DSN must be set for the message-writer');
});
