import { once } from 'node:events';
import { get } from 'node:http';
import { connect as connectHttp2, type OutgoingHttpHeaders } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { GetChatRequest } from '../../../pkg/api/chat/v1/chat.ts';
import { Bystander } from '../../testing/clients/bystander.ts';
import { newRoom, type Person, signIn } from '../../testing/clients/person.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const log = new LogLines();
let service: TestService;
let mallory: Person;
let bystander: Bystander;
let request: Uint8Array;
beforeAll(async () => {
  service = await startTestService({}, { log: log.logger });
  mallory = await signIn(service.transport(), 'mallory');
  bystander = await Bystander.watch(service.transport());
  request = GetChatRequest.encode({ chatId: (await newRoom(mallory)).id }).finish();
});
afterAll(() => service.stop());

afterEach(async () => {
  await bystander.expectUndisturbed();
  expect(log.errors).toEqual([]);
  await eventually(() => expect(service.app.sessions.size).toBe(1));
});

/** Sends one HTTP/2 request without a gRPC library. Returns the answer's headers and trailers together. */
async function post(headers: OutgoingHttpHeaders, ...chunks: Uint8Array[]): Promise<Record<string, unknown>> {
  const session = connectHttp2(`http://${service.address}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': '/chat.v1.ChatService/GetChat',
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: `Bearer ${mallory.token}`,
    ...headers,
  });
  const answer: Record<string, unknown> = {};
  stream.on('response', (received) => Object.assign(answer, received));
  stream.on('trailers', (received) => Object.assign(answer, received));
  stream.on('error', (error) => Object.assign(answer, { error: error.message }));
  stream.resume();
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await once(stream, 'close');
  return answer;
}

/** Frames a gRPC message: a flag, four bytes of length, the bytes. */
function message(bytes: Uint8Array, { flag = 0, length = bytes.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, bytes]);
}

test('a well-formed request made by hand is answered', async () => {
  expect(await post({}, message(request))).toMatchObject({ ':status': 200, 'grpc-status': '0' });
  const packed = message(gzipSync(request), { flag: 1 });
  expect(await post({ 'grpc-encoding': 'gzip' }, packed)).toMatchObject({ 'grpc-status': '0' });
});

test('a message that is not compressed as it says is refused with a gRPC status', async () => {
  const refused = async (headers: OutgoingHttpHeaders, ...chunks: Uint8Array[]) =>
    Number((await post(headers, ...chunks))['grpc-status']);
  const junk = message(Buffer.from('junk'), { flag: 1 });

  expect(await refused({ 'grpc-encoding': 'gzip' }, junk)).toBe(status.INTERNAL);
  expect(await refused({ 'grpc-encoding': 'deflate' }, junk)).toBe(status.INTERNAL);
  expect(await refused({ 'grpc-encoding': 'zstd' }, junk)).toBe(status.UNIMPLEMENTED);
  expect(await refused({}, junk)).toBe(status.INVALID_ARGUMENT);
  expect(await refused({}, message(Buffer.from('junk'), { flag: 7 }))).toBe(status.INVALID_ARGUMENT);
});

test('a request that is, or claims to be, too large is refused, compressed or not', async () => {
  const tooLarge = { 'grpc-status': String(status.RESOURCE_EXHAUSTED) };
  const bomb = gzipSync(Buffer.alloc(100_000_000));

  expect(await post({ 'grpc-encoding': 'gzip' }, message(bomb, { flag: 1 }))).toMatchObject(tooLarge);
  expect(await post({}, message(Buffer.alloc(1_048_577)))).toMatchObject(tooLarge);
  expect(await post({}, message(request, { length: 0xffffffff }))).toMatchObject(tooLarge);
});

test('a unary call with no message, part of a message, or two messages is refused', async () => {
  for (const chunks of [[], [message(request).subarray(0, 9)], [message(request), message(request)]]) {
    const { 'grpc-status': code } = await post({}, ...chunks);
    expect(Number(code)).toBeGreaterThan(0);
  }
});

test('a request that is not gRPC, or names an unknown method, is refused', async () => {
  expect(await post({ 'content-type': 'application/json' }, Buffer.from('{}'))).toMatchObject({ ':status': 415 });
  for (const path of ['/chat.v1.ChatService/__proto__', '/chat.v1.ChatService/', '/', '/nothing/here']) {
    expect(await post({ ':path': path }, message(request))).toMatchObject({
      'grpc-status': String(status.UNIMPLEMENTED),
    });
  }
  expect(Number((await post({ 'grpc-timeout': 'soon' }, message(request)))['grpc-status'])).toBeGreaterThan(0);
});

test('HTTP/1.1, and bytes that are not HTTP, are refused', async () => {
  await expect(
    new Promise((resolve, reject) => {
      get(`http://${service.address}/`, resolve).on('error', reject);
    }),
  ).rejects.toThrow(/Parse Error|ECONNRESET|socket hang up/);

  const [host, port] = service.address.split(':');
  const socket = connectTcp(Number(port), host);
  socket.on('error', () => {});
  socket.resume().write(Buffer.alloc(10_000, 7));
  await once(socket, 'close');
});

test('connections that send nothing, or end in the middle of a request, do no harm', async () => {
  const [host, port] = service.address.split(':');
  const sockets = Array.from({ length: 50 }, () => connectTcp(Number(port), host));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const session = connectHttp2(`http://${service.address}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/chat.v1.ChatService/ConnectChat',
    'content-type': 'application/grpc',
    authorization: `Bearer ${mallory.token}`,
  });
  stream.on('error', () => {});
  stream.write(message(request, { length: 1_000 }));
  await eventually(() => expect(service.app.sessions.size).toBe(2));

  for (const socket of sockets) socket.resetAndDestroy();
  session.destroy();
});
