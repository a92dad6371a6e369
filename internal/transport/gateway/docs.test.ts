import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPage, type TestPage } from '../../testing/clients/browser.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const documentText = readFileSync(new URL('../../../pkg/api/openapi.json', import.meta.url), 'utf8');

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service?.stop());

describe('the document /openapi.json', () => {
  test('is the generated one, and is not sent again to a client that has it', async () => {
    const first = await get('/openapi.json');
    expect(first).toMatchObject({ status: 200, body: documentText });
    expect(first.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'public, no-cache',
      etag: expect.stringMatching(/^"/),
    });
    const second = await get('/openapi.json', { 'if-none-match': first.headers.etag });
    expect(second).toMatchObject({ status: 304, body: '' });
  });
});

describe('the files of /docs', () => {
  test.each(['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png', 'start.js'])(
    '%s is there',
    async (name) => {
      const { status, headers } = await get(`/docs/${name}`);
      expect(status).toBe(200);
      expect(headers).toMatchObject({ 'cache-control': 'public, no-cache', etag: expect.any(String) });
      expect((await get(`/docs/${name}`, { 'if-none-match': headers.etag })).status).toBe(304);
    },
  );

  test('have a policy that allows only files of this service and no inline scripts', async () => {
    const { headers } = await get('/docs');
    const policy = new Map(
      String(headers['content-security-policy'])
        .split('; ')
        .map((directive) => [directive.split(' ')[0], directive.split(' ').slice(1).join(' ')]),
    );
    expect(policy.get('default-src')).toBe("'none'");
    expect(policy.get('script-src')).toBe("'self'");
    expect(policy.get('style-src')).toBe("'self'");
    expect(policy.get('connect-src')).toBe("'self'");
    expect((await get('/openapi.json')).headers['content-security-policy']).toContain("default-src 'none'");
  });

  test('/docs/ redirects to /docs', async () => {
    expect(await get('/docs/')).toMatchObject({ status: 308, headers: { location: '../docs' } });
  });

  test.each([
    '/docs/package.json',
    '/docs/swagger-initializer.js',
    '/docs/../package.json',
    '/docs/%2e%2e/package.json',
    '/docs/..%2fpackage.json',
    '/docs/..%5cpackage.json',
    '/docs/start.js/../../openapi.json',
    '/docs//etc/passwd',
    '/docs/swagger-ui.css%00.js',
    '/DOCS',
  ])('%s is not served', async (path) => {
    const { status, headers } = await get(path);
    expect([400, 404]).toContain(status);
    expect(headers['content-type']).toMatch(/^application\/json/);
  });
});

describe('the page /docs', () => {
  let docs: TestPage;

  async function open(): Promise<Page> {
    docs = await openPage({ viewport: { width: 1280, height: 1000 } });
    await docs.page.goto(`${service.url}/docs`);
    await docs.page.locator('.opblock').first().waitFor();
    return docs.page;
  }

  test('shows every operation, and loads nothing from other hosts and nothing that its policy forbids', async () => {
    const page = await open();
    const shown = await page.locator('.opblock-summary-path').evaluateAll((all) => all.map((one) => one.textContent));
    const paths = Object.entries(JSON.parse(documentText).paths as Record<string, object>);
    const plain = (path: string | null) => path?.replaceAll('\u200b', '');
    expect(shown.map(plain)).toEqual(paths.flatMap(([path, methods]) => Object.keys(methods).map(() => path)));
    expect(docs.faults).toEqual([]);
    expect(docs.requests.filter((url) => !url.startsWith(`${service.url}/`) && !url.startsWith('data:'))).toEqual([]);
  });

  test('calls the service with the token that is entered, and forgets the token on reload', async () => {
    const page = await open();
    await authorize(page, await service.token('alice'));
    expect(await tryOut(page, 'AuthService_GetMe', {})).toMatchObject({
      status: '200',
      body: { userId: 'guest:alice' },
    });
    await page.reload();
    await page.locator('.opblock').first().waitFor();
    expect(await tryOut(page, 'AuthService_GetMe', {})).toMatchObject({ status: '401', body: { code: 16 } });
  });

  test('fills in a path with a verb, a body, and a query', async () => {
    const page = await open();
    await authorize(page, await service.token('petra'));
    const joined = await tryOut(page, 'ChatService_JoinRoom', { name: 'Привет' });
    expect(joined).toMatchObject({ status: '200', body: { created: true, chat: { name: 'Привет' } } });
    const chatId = (joined.body as { chat: { id: string } }).chat.id;
    const message = JSON.stringify({ clientMessageId: 'a', text: 'hello' });
    const sent = await tryOut(page, 'ChatService_SendMessage', { chatId }, message);
    expect(sent).toMatchObject({ status: '200', body: { seq: '2' } });
    const listed = await tryOut(page, 'ChatService_ListMessages', { chatId, afterSeq: '1', pageSize: '5' });
    expect(listed).toMatchObject({ status: '200', body: { messages: [{ text: 'hello' }], hasMore: false } });
    expect(docs.faults).toEqual([]);
  });

  test('shows the fields of schemas', async () => {
    const page = await open();
    await page.locator('.models-control').click();
    await page.locator('.models .json-schema-2020-12-expand-deep-button').first().click();
    await page.locator('.models .json-schema-2020-12-property').first().waitFor();
    await page.locator('.opblock-summary-control').first().click();
    await page.getByRole('tab', { name: 'Schema' }).first().click();
    await page.locator('.opblock .json-schema-2020-12-property').first().waitFor();
    expect(docs.faults).toEqual([]);
  });
});

/** Requests `path` with a client that neither normalizes paths nor adds headers. */
async function get(path: string, headers: Record<string, string | undefined> = {}): Promise<Answer> {
  const { hostname, port } = new URL(service.url);
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, headers: Object.fromEntries(given) as Record<string, string> }, (response) => {
      const { statusCode: status = 0, headers } = response;
      text(response).then((body) => resolve({ status, headers, body }), reject);
    })
      .on('error', reject)
      .end();
  });
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

async function authorize(page: Page, token: string): Promise<void> {
  await page.locator('.auth-wrapper > button.authorize').click();
  const dialog = page.locator('.modal-ux');
  await dialog.locator('input').fill(token);
  await dialog.locator('button.authorize').click();
  await dialog.locator('button.btn-done').click();
}

/** Executes an operation in the page. Swagger UI does not send a request with input that it does not accept; then there is no answer. */
async function tryOut(
  page: Page,
  operationId: string,
  parameters: Record<string, string>,
  body?: string,
): Promise<{ status: string; body: unknown }> {
  const operation = page.locator(`.opblock[id$="${operationId}"]`);
  // The page opens the operation that its address names.
  const isOpen = await operation.evaluate((element) => element.className.includes('is-open'));
  if (!isOpen) await operation.locator('.opblock-summary-control').click();
  for (const [name, value] of Object.entries(parameters)) {
    await operation.locator(`tr[data-param-name="${name}"] input`).fill(value);
  }
  if (body !== undefined) await operation.locator('textarea.body-param__text').fill(body);
  await operation.locator('button.execute').click();
  const answer = operation.locator('.live-responses-table tbody tr').first();
  const status = await answer.locator('.response-col_status').first().innerText({ timeout: 5_000 });
  return { status: status.trim(), body: JSON.parse(await answer.locator('.highlight-code code').first().innerText()) };
}
