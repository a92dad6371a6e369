import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AuthServiceDefinition } from '../../../pkg/api/auth/v1/auth.ts';
import { ChatServiceDefinition } from '../../../pkg/api/chat/v1/chat.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

const streams = [ChatServiceDefinition, AuthServiceDefinition].flatMap(({ fullName, methods }) =>
  Object.values(methods).flatMap(({ name, responseStream }) => (responseStream ? `/${fullName}/${name}` : [])),
);

// `served` runs the interceptors of streams, apart from those of unary calls.
test.each(streams)('%s requires a token', async (path) => {
  const client = new Client(service.address, credentials.createInsecure());
  try {
    const asIs = (bytes: Buffer) => bytes;
    const stream = client.makeBidiStreamRequest(path, asIs, asIs, new Metadata());
    stream.resume();
    const error = await new Promise((resolve) => stream.once('error', resolve));
    expect(error).toMatchObject({ code: status.UNAUTHENTICATED });
  } finally {
    client.close();
  }
});
