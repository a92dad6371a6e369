import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { HttpRevocationSource, type HttpRevocationSourceOptions } from './http-revocation-source.ts';

let server: Server;
let asked: string[] = [];
afterEach(async () => {
  asked = [];
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function serve(
  listener: RequestListener,
  options: Partial<HttpRevocationSourceOptions> = {},
): Promise<HttpRevocationSource> {
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return new HttpRevocationSource(`http://127.0.0.1:${port}/v1/auth/revocations?tenant=a`, options);
}

const answer =
  (body: unknown): RequestListener =>
  (_, response) =>
    void response.end(typeof body === 'string' ? body : JSON.stringify(body));

test('asks without a cursor first, then with the given cursor', async () => {
  const source = await serve(answer({ sessionIds: ['a', 'b'], cursor: 'ü &/?' }));
  expect(await source.listRevocations()).toEqual({ sessionIds: ['a', 'b'], cursor: 'ü &/?' });
  await source.listRevocations('ü &/?');
  expect(asked.map((url) => Object.fromEntries(new URL(url, 'http://x').searchParams))).toEqual([
    { tenant: 'a' },
    { tenant: 'a', cursor: 'ü &/?' },
  ]);
});

test('reads a missing field as empty, and ignores an unknown one', async () => {
  const source = await serve(answer({ somethingNew: 1 }));
  expect(await source.listRevocations('c')).toEqual({ sessionIds: [], cursor: '' });
});

test('asks again without a cursor when the auth-server refuses its cursor', async () => {
  const source = await serve((request, response) => {
    if (request.url?.includes('cursor=')) response.writeHead(400).end('{}');
    else response.end('{"sessionIds":["a"],"cursor":"1"}');
  });
  expect(await source.listRevocations('of another database')).toEqual({ sessionIds: ['a'], cursor: '1' });
  expect(asked).toHaveLength(2);
});

test.each<[string, RequestListener, string]>([
  ['refuses', (_, response) => void response.writeHead(503).end('secret'), 'the auth-server answered with status 503'],
  ['answers 400', (_, response) => void response.writeHead(400).end(), 'the auth-server answered with status 400'],
  ['redirects', (_, response) => void response.writeHead(302, { location: '/' }).end(), 'redirect'],
  ['does not answer', () => {}, 'timeout'],
  ['stops in the middle', (_, response) => void response.write('{"sessionIds":['), 'timeout'],
  ['closes the connection', (_, response) => void response.destroy(), ''],
  ['answers without end', (_, response) => void response.write('x'.repeat(2_000)), 'the answer is too long'],
  ['answers with HTML', answer('<html>'), 'JSON'],
  ['answers with an empty body', answer(''), 'JSON'],
  ['answers null', answer('null'), 'agreed form'],
  ['answers a list', answer('[]'), 'agreed form'],
  ['answers ids that are not strings', answer({ sessionIds: [1], cursor: 'c' }), 'agreed form'],
  ['answers ids that are not a list', answer({ sessionIds: 'a', cursor: 'c' }), 'agreed form'],
  ['answers a cursor that is not a string', answer({ sessionIds: [], cursor: 7 }), 'agreed form'],
])('throws UNAVAILABLE when the auth-server %s', async (_, listener, why) => {
  const source = await serve(listener, { timeoutMs: 200, maxBytes: 1_000 });
  const error = await source.listRevocations('c').catch((error) => error);
  expect(error).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) });
  expect(error.message).toBe('the auth-server cannot be asked for the ended sessions');
  expect(`${error.cause.message} ${error.cause.cause?.message}`.toLowerCase()).toContain(why.toLowerCase());
});
