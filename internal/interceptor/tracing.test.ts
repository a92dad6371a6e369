import type { Metadata, ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GetChatRequest, ListRoomsRequest } from '../../pkg/api/chat/v1/chat.ts';
import { headers, RawClient } from '../testing/clients/raw-client.ts';
import { startTestService, type TestService } from '../testing/services/test-service.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

let service: TestService;
let token: string;
beforeAll(async () => {
  service = await startTestService();
  token = await service.token('alice');
});
afterAll(() => service.stop());

/** The trace id in the answer of a call. */
async function traced(add: Record<string, string> = {}, request = ListRoomsRequest.create()): Promise<unknown> {
  const metadata = headers(token);
  for (const [name, value] of Object.entries(add)) metadata.set(name, value);
  const bytes = ListRoomsRequest.encode(request).finish();
  const answer = await new RawClient(service.address).call('/chat.v1.ChatService/ListRooms', bytes, metadata);
  return answer.metadata.get('x-trace-id')[0];
}

test("every call is answered with a trace id of its own, or the caller's", async () => {
  const [one, two] = [await traced(), await traced()];
  expect(one).toMatch(/^[0-9a-f]{32}$/);
  expect(two).not.toBe(one);
  expect(await traced({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` })).toBe(traceId);
});

test('an invalid trace id of the caller is replaced', async () => {
  for (const traceparent of [
    '',
    traceId,
    `00-${traceId.toUpperCase()}-00f067aa0ba902b7-01`,
    `00-${traceId}`,
    'x'.repeat(5_000),
  ]) {
    const given = await traced({ traceparent });
    expect(given).toMatch(/^[0-9a-f]{32}$/);
    expect(given).not.toBe(traceId);
  }
});

test('a refused call has a trace id too', async () => {
  const metadata = headers(token);
  metadata.set('traceparent', `00-${traceId}-00f067aa0ba902b7-01`);
  const client = new RawClient(service.address);
  const request = GetChatRequest.encode({ chatId: 'nonsense' }).finish();
  const received = new Promise<Metadata>((resolve) => {
    client.call('/chat.v1.ChatService/GetChat', request, metadata, {}, resolve).catch((error: ServiceError) => error);
  });
  expect((await received).get('x-trace-id')).toEqual([traceId]);
});

test('a stream has a trace id from its first event on', async () => {
  const metadata = headers(token);
  metadata.set('traceparent', `00-${traceId}-00f067aa0ba902b7-01`);
  const call = new RawClient(service.address).connect(token, metadata);
  const received = await new Promise<Metadata>((resolve) => {
    call.on('metadata', resolve);
    call.resume();
  });
  expect(received.get('x-trace-id')).toEqual([traceId]);
  call.cancel();
});
