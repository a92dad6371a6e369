import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import express from 'express';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { builtPage } from '../../../../cmd/web/testing/built-page.ts';
import { startTestService, type TestService } from '../../../testing/services/test-service.ts';
import { webPageRouter } from './web-page.ts';

let service: TestService;
beforeAll(async () => {
  [service] = await Promise.all([startTestService(), builtPage()]);
});
afterAll(() => service?.stop());

test('the page is revalidated on each load and has a strict Content-Security-Policy', async () => {
  const { status, headers, body } = await get('/');
  expect(status).toBe(200);
  expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
  expect(String(headers['content-security-policy']).split('; ')).toEqual([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]);
  expect(body.toString()).not.toMatch(/<script>|<style|style=| on\w+=/);
  expect(await get('/', { 'if-none-match': headers.etag })).toMatchObject({ status: 304 });
});

test('its files are cached as immutable and sent in the best compression that the client accepts', async () => {
  const names = [...(await get('/')).body.toString().matchAll(/assets\/([\w.-]+)/g)].map(([, name]) => name!);
  expect(new Set(names.map((name) => name.replace(/^.*\./, '')))).toEqual(new Set(['css', 'js', 'svg']));
  const types = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };
  for (const name of names) {
    const plain = await get(`/assets/${name}`);
    expect(plain.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': types[name.replace(/^.*\./, '') as keyof typeof types],
      vary: expect.stringMatching(/accept-encoding/i),
    });
    expect(plain.headers['content-encoding']).toBeUndefined();
    const gzip = await get(`/assets/${name}`, { 'accept-encoding': 'gzip' });
    expect(gzip.headers).toMatchObject({ ...same(plain.headers), 'content-encoding': 'gzip' });
    expect(gunzipSync(gzip.body)).toEqual(plain.body);
    const brotli = await get(`/assets/${name}`, { 'accept-encoding': 'gzip, deflate, br' });
    expect(brotli.headers).toMatchObject({ ...same(plain.headers), 'content-encoding': 'br' });
    expect(brotliDecompressSync(brotli.body)).toEqual(plain.body);
    expect(brotli.body.length).toBeLessThan(plain.body.length);
  }
});

test.each([
  '/index.html',
  '/assets/',
  '/assets/no-such-file.js',
  '/assets/../index.html',
  '/assets/..%2findex.html',
  '/assets/%2e%2e%2findex.html',
  '/assets/..%5cindex.html',
  '/assets/index.html',
  '/assets/x%00.js',
])('%s is not found', async (path) => {
  const { status, headers } = await get(path);
  expect([400, 404]).toContain(status);
  expect(headers['content-type']).toMatch(/^application\/json/);
});

test('a precompressed file has no URL of its own', async () => {
  const [name] = /index-[\w-]+\.js/.exec((await get('/')).body.toString()) ?? [];
  expect((await get(`/assets/${name}.br`)).status).toBe(404);
});

test('until the page is built, / says how to build it; afterwards it is served without a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chat-page-'));
  const server = createServer(express().use(webPageRouter(folder)));
  await listen(server);
  onTestFinished(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const before = await fetch(url);
  expect(before.status).toBe(404);
  expect(await before.text()).toContain('`make web`');
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), 'the page');
  await writeFile(join(folder, 'assets/a.js'), 'let a;');
  expect(await (await fetch(url)).text()).toBe('the page');
  const asset = await fetch(`${url}/assets/a.js`);
  expect([await asset.text(), asset.headers.get('content-encoding')]).toEqual(['let a;', null]);
});

test('WEB_PAGE=false turns the page off', async () => {
  const other = await startTestService({ WEB_PAGE: 'false' });
  onTestFinished(() => other.stop());
  expect((await fetch(other.url)).status).toBe(404);
  expect((await fetch(`${other.url}/docs`)).status).toBe(200);
});

function same({ 'content-type': type, 'cache-control': caching, vary }: IncomingHttpHeaders): IncomingHttpHeaders {
  return { 'content-type': type, 'cache-control': caching, vary };
}

/** Requests `path` with a client that neither normalizes paths nor adds headers, and does not decompress. */
function get(
  path: string,
  headers: Record<string, string | undefined> = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  const { hostname, port } = new URL(service.url);
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, headers: given as Record<string, string> }, (response) => {
      const { statusCode: status = 0, headers: answered } = response;
      buffer(response).then((body) => resolve({ status, headers: answered, body }), reject);
    })
      .on('error', reject)
      .end();
  });
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}
