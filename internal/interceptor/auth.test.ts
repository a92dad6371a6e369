import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ListRoomsRequest } from '../../pkg/api/chat/v1/chat.ts';
import { Status } from '../../pkg/api/google/rpc/status.ts';
import { errorFromStatus } from '../../pkg/chat-client/errors/status.ts';
import { newGroup, personOf, signIn } from '../testing/clients/person.ts';
import { RawClient } from '../testing/clients/raw-client.ts';
import { startTestService, type TestService } from '../testing/services/test-service.ts';
import { issueToken } from '../testing/services/tokens.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

/** The reason for which a call with this authorization header is refused; undefined if it is not. */
async function refusalOf(...authorization: string[]): Promise<string | undefined> {
  const metadata = new Metadata();
  for (const value of authorization) metadata.add('authorization', value);
  const request = ListRoomsRequest.encode(ListRoomsRequest.create()).finish();
  try {
    await new RawClient(service.address).call('/chat.v1.ChatService/ListRooms', request, metadata);
    return undefined;
  } catch (error) {
    const { code, metadata: trailer } = error as ServiceError;
    expect([status.UNAUTHENTICATED, status.PERMISSION_DENIED]).toContain(code);
    return errorFromStatus(Status.decode(trailer.get('grpc-status-details-bin')[0] as Buffer)).reason;
  }
}

test('a token is needed, in the form of the standard', async () => {
  const token = await service.token('alice');

  expect(await refusalOf(`Bearer ${token}`)).toBeUndefined();
  expect(await refusalOf(`bearer  ${token}`)).toBeUndefined();
  expect(await refusalOf()).toBe('TOKEN_MISSING');
  for (const header of ['', token, `Basic ${token}`, 'Bearer', 'Bearer a b', `Bearer ${token}, Bearer ${token}`]) {
    expect(await refusalOf(header)).toMatch(/TOKEN_(MISSING|INVALID)/);
  }
});

test('a token that was not signed with a key of the issuer is refused', async () => {
  const token = await service.token('alice');
  const [header = '', payload = '', signature = ''] = token.split('.');
  const { privateKey } = await generateKeyPair('EdDSA');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const forged = new SignJWT(claims).setProtectedHeader(JSON.parse(Buffer.from(header, 'base64url').toString()));
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  const forgeries = [
    await forged.sign(privateKey),
    `${encode({ alg: 'none' })}.${payload}.`,
    `${encode({ alg: 'HS256' })}.${payload}.${signature}`,
    `${header}.${encode({ ...claims, sub: 'somebody else' })}.${signature}`,
    `${header}.${payload}`,
    'not-a-token',
    'x'.repeat(10_000),
  ];
  for (const forgery of forgeries) expect(await refusalOf(`Bearer ${forgery}`)).toBe('TOKEN_INVALID');
});

test('a token of another issuer, for another audience, without a user or out of date is refused', async () => {
  const reason = async (userId: string, options = {}) =>
    refusalOf(`Bearer ${(await issueToken(service.dsn, { userId }, options)).token}`);

  expect(await reason('alice')).toBeUndefined();
  expect(await reason('alice', { issuer: 'elsewhere' })).toBe('TOKEN_INVALID');
  expect(await reason('alice', { audience: 'mail' })).toBe('TOKEN_INVALID');
  expect(await reason('alice', { ttlMs: -60_000 })).toBe('TOKEN_EXPIRED');
  expect(await reason('')).toBe('TOKEN_INVALID');
  expect(await reason('with space')).toBe('TOKEN_INVALID');
});

test("what a token's roles do not allow is denied; an admin sees and manages chats without being a member", async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const nobody = await issueToken(service.dsn, { userId: 'nobody', roles: [] });
  const root = await issueToken(service.dsn, { userId: 'root', roles: ['admin'] });
  const admin = personOf(service.transport(), { id: 'root', name: 'root', token: root.token });

  expect(await refusalOf(`Bearer ${nobody.token}`)).toBe('METHOD_NOT_ALLOWED');
  expect((await admin.chat.getChat({ chatId: group.id })).chat).toMatchObject({ id: group.id });
  await expect(admin.chat.addMembers({ chatId: group.id, userIds: ['bob'] })).resolves.toMatchObject({
    added: [{ user: { id: 'bob' } }],
  });
  // An admin who is not a member can neither read nor send messages.
  await expect(admin.chat.listMessages({ chatId: group.id })).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
  await admin.chat.deleteChat({ chatId: group.id });
});

test('a stream without a valid token is refused like a call', async () => {
  for (const token of ['', 'nonsense']) {
    const stream = personOf(service.transport(), { id: '', name: '', token }).open();
    expect(await stream.ended).toMatchObject({
      code: 'UNAUTHENTICATED',
      reason: expect.stringMatching(/TOKEN_(MISSING|INVALID)/),
    });
    expect(stream.events).toEqual([]);
  }
});
