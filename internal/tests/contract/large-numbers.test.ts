import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ListMessagesResponse } from '../../../pkg/api/chat/v1/chat.ts';
import { newGroup, type Person, say, signIn } from '../../testing/clients/person.ts';
import { SocketClient } from '../../testing/clients/socket-client.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
let alice: Person;
let chatId: string;
beforeAll(async () => {
  service = await startTestService();
  alice = await signIn(service.transport(), 'alice');
  chatId = (await newGroup(alice)).id;
  await say(alice, { id: chatId }, 'hello');
});
afterAll(() => service.stop());

/** Numbers beyond 2^53, up to the largest int64, which JavaScript cannot represent exactly. */
const numbers = [2n ** 53n, 10n ** 18n, 2n ** 63n - 1n];

async function rest(path: string, init?: RequestInit) {
  const answer = await fetch(`${service.url}${path}`, { ...init, headers: { authorization: `Bearer ${alice.token}` } });
  const { messages, details } = (await answer.json()) as { messages: unknown[]; details: { reason: string }[] };
  return [answer.status, messages?.length, details?.[0]?.reason];
}

describe.each(numbers)('the number %s', (number) => {
  test('as before_seq over REST gives the newest page', async () => {
    expect(await rest(`/v1/chats/${chatId}/messages?beforeSeq=${number}`)).toEqual([200, 2, undefined]);
  });

  test('as after_seq over REST gives an empty page', async () => {
    expect(await rest(`/v1/chats/${chatId}/messages?afterSeq=${number}`)).toEqual([200, 0, undefined]);
  });

  test('as a read mark is refused', async () => {
    expect(await rest(`/v1/chats/${chatId}:markRead`, { method: 'POST', body: `{"seq":"${number}"}` })).toEqual([
      400,
      undefined,
      'CURSOR_IN_FUTURE',
    ]);
  });

  test('as a cursor of server-sent events is refused', async () => {
    expect(await rest(`/v1/chats/${chatId}/events?after_seq=${number}`)).toEqual([400, undefined, 'CURSOR_IN_FUTURE']);
  });

  test('as before_seq over gRPC gives the newest page', async () => {
    const request = new BinaryWriter().uint32(10).string(chatId).uint32(16).int64(number).finish();
    const client = new Client(service.address, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${alice.token}`);
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const [path, asIs] = ['/chat.v1.ChatService/ListMessages', (body: Buffer) => body];
      client.makeUnaryRequest(path, asIs, asIs, Buffer.from(request), metadata, (error, answer) =>
        error ? reject(error) : resolve(answer!),
      );
    });
    client.close();
    expect(ListMessagesResponse.decode(bytes).messages).toHaveLength(2);
  });

  test.each(['chat.v1.json', 'chat.v1.proto'])('as a cursor over WebSocket with %s is refused', async (protocol) => {
    const client = await SocketClient.connect(service.url, { token: alice.token, protocols: [protocol] });
    const subscribe = new BinaryWriter().uint32(10).string(chatId).uint32(16).int64(number).finish();
    const command = new BinaryWriter().uint32(10).string('1').uint32(18).bytes(subscribe).finish();
    client.socket.send(
      protocol === 'chat.v1.json'
        ? `{"commands":[{"commandId":"1","subscribe":{"chatId":"${chatId}","afterSeq":"${number}"}}]}`
        : new BinaryWriter().uint32(10).bytes(command).finish(),
    );
    const { commandId, status } = await client.nextOf('rejected');
    expect([commandId, status?.code]).toEqual(['1', 11]);
  });
});
