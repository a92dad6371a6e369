import { connect } from 'node:http2';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { base64url } from 'jose';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ListChatsRequest } from '../../../pkg/api/chat/v1/chat.ts';
import { Status } from '../../../pkg/api/google/rpc/status.ts';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import { personOf, signIn } from '../../testing/clients/person.ts';
import { RawClient } from '../../testing/clients/raw-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const path = '/chat.v1.ChatService/ListChats';
const request = ListChatsRequest.encode(ListChatsRequest.create()).finish();

let service: TestService;
let token: string;
beforeAll(async () => {
  service = await startTestService();
  token = await service.token('alice');
});
afterAll(() => service.stop());

/** The reason for which a call with this authorization header is refused; undefined if it is not. */
async function refusal(authorization: string): Promise<string | undefined> {
  const metadata = new Metadata();
  metadata.set('authorization', authorization);
  try {
    await new RawClient(service.address).call(path, request, metadata);
    return undefined;
  } catch (error) {
    const { code, metadata: trailer } = error as ServiceError;
    expect(code).toBe(status.UNAUTHENTICATED);
    return errorFromStatus(Status.decode(trailer.get('grpc-status-details-bin')[0] as Buffer)).reason;
  }
}

/** The gRPC status of a call with these authorization headers, each sent unchanged as a header of its own. */
async function rawStatus(authorization: string[]): Promise<string | undefined> {
  const session = connect(`http://${service.address}`, { strictSingleValueFields: false } as object);
  onTestFinished(() => session.close());
  const headers = [
    [':method', 'POST'],
    [':path', path],
    [':scheme', 'http'],
    [':authority', service.address],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ...authorization.map((value) => ['authorization', value]),
  ];
  const stream = session.request(headers.flat() as never);
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, request.length]), request]));
  const result = Promise.withResolvers<string | undefined>();
  const look = (given: Record<string, unknown>) => {
    if (given['grpc-status'] !== undefined) result.resolve(String(given['grpc-status']));
  };
  stream.on('response', look);
  stream.on('trailers', look);
  stream.on('error', (error) => result.resolve(error.message));
  stream.on('close', () => result.resolve(undefined));
  stream.resume();
  return result.promise;
}

test('the token that the attacks modify is valid', async () => {
  expect(await refusal(`Bearer ${token}`)).toBeUndefined();
  expect(await rawStatus([`Bearer ${token}`])).toBe('0');
});

test('an authorization header in any other form than the standard’s is refused', async () => {
  const other = await service.token('bob');
  for (const header of [
    token,
    `Basic ${token}`,
    `Token ${token}`,
    `Bearer${token}`,
    `Bearer:${token}`,
    `Bearer=${token}`,
    `Bearer "${token}"`,
    `Bearer ${token},`,
    `Bearer ${token};`,
    `Bearer ${token} ${other}`,
    `Bearer ${token}, Bearer ${other}`,
    `Bearer ${token},Bearer ${other}`,
    `Bearer Bearer ${token}`,
    `Basic x, Bearer ${token}`,
    'Bearer',
    'Bearer null',
    'Bearer undefined',
    'Bearer ..',
    'Bearer {}',
  ]) {
    expect([header.slice(0, 20), await refusal(header)]).toEqual([header.slice(0, 20), 'TOKEN_INVALID']);
  }
  for (const header of [`Bearer\t${token}`, `Bearer ${token}\t${other}`, `Bearer \t ${token}`]) {
    expect(await rawStatus([header])).toBe('16');
  }
});

test('neither the second of two authorization headers nor a combination of both is accepted', async () => {
  const other = `Bearer ${await service.token('bob')}`;
  for (const second of [`Bearer ${token}`, other]) {
    for (const first of ['Bearer nonsense', 'Basic x', 'Bearer', '']) {
      expect(await rawStatus([first, second])).toBe('16');
    }
  }
});

test('a huge token is refused quickly and does not disturb others', async () => {
  const [header, payload, signature] = token.split('.');
  const bystander = await (await signIn(service.transport(), 'bystander')).connect();
  for (const length of [10_000, 60_000, 1_000_000]) {
    const huge = `${header}.${payload}${'A'.repeat(length)}.${signature}`;
    expect(await rawStatus([`Bearer ${huge}`])).not.toBe('0');
  }
  expect(await bystander.ask(commands.ping())).toMatchObject({ $case: 'pong' });
  expect(await refusal(`Bearer ${token}`)).toBeUndefined();
  bystander.close();
});

test('forged tokens are refused alike by calls, by streams and on streams, without a reason that helps an attacker', async () => {
  const [header, payload, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString());
  const encode = (value: unknown) => base64url.encode(JSON.stringify(value));
  const forgeries = [
    `${encode({ alg: 'none' })}.${payload}.`,
    `${encode({ alg: 'none' })}.${payload}.${signature}`,
    `${encode({ alg: 'HS256', kid: JSON.parse(Buffer.from(header!, 'base64url').toString()).kid })}.${payload}.${signature}`,
    `${header}.${encode({ ...claims, sub: 'root', roles: ['admin'] })}.${signature}`,
    `${header}.${encode({ ...claims, exp: claims.exp + 86_400 })}.${signature}`,
    `${encode({ alg: 'EdDSA', kid: "' or 1=1 --" })}.${payload}.${signature}`,
    `${encode({ alg: 'EdDSA', kid: '../../etc/passwd' })}.${payload}.${signature}`,
  ];
  const stream = await personOf(service.transport(), { id: '', name: '', token }).connect();
  for (const forgery of forgeries) {
    const refused = { code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID', message: 'the access token is not valid' };
    const forger = personOf(service.transport(), { id: '', name: '', token: forgery });
    await expect(forger.chat.listChats({})).rejects.toMatchObject(refused);
    expect(await forger.open().ended).toMatchObject(refused);
    expect(await stream.ask(commands.authenticate(forgery))).toMatchObject({
      $case: 'rejected',
      value: { status: { code: 16, message: refused.message } },
    });
  }
  expect(await stream.ask(commands.ping())).toMatchObject({ $case: 'pong' });
  stream.close();
});
