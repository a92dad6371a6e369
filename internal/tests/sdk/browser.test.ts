import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type * as sdk from '../../../pkg/chat-client/index.ts';
import { openPage } from '../../testing/clients/browser.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { type Bundle, bundle } from './testing/bundle.ts';

type Sdk = typeof sdk;

/** The global state of a page in these tests. */
interface PageState {
  sdk: Sdk;
  client: sdk.ChatClient;
  heard: string[];
}

let service: TestService;
let built: Bundle;
beforeAll(async () => {
  [service, built] = await Promise.all([startTestService({ CORS_ORIGINS: '*' }), bundle('index.ts')]);
});
afterAll(() => service.stop());

/** Opens a page of the service or of another origin, and loads the SDK into it. */
async function pageWithSdk(url: string): Promise<Page> {
  const { page } = await openPage({ bypassCSP: true });
  await load(page, url);
  return page;
}

async function load(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/docs/`);
  await page.addScriptTag({ content: built.code });
}

/** Connects a client in the page, with an outbox in its localStorage, and joins a room. Returns the room's id. */
async function join(page: Page, url: string, { user, room, encoding = 'proto' }: Record<string, string>) {
  return page.evaluate(
    async ([base, name, roomName, frames]) => {
      const state = globalThis as unknown as PageState;
      const { ChatClient, guest, webSocketTransport, webStorageOutbox } = state.sdk;
      const { localStorage } = globalThis as unknown as { localStorage: sdk.WebStorage };
      const transport = webSocketTransport(base!, { encoding: frames as 'proto' | 'json' });
      const outbox = webStorageOutbox(localStorage, `outbox/${name}`);
      state.client = new ChatClient({ transport, token: guest(name!), outbox });
      state.heard = [];
      state.client.on('message', ({ text, system }) => void (system ?? state.heard.push(text)));
      await state.client.connect();
      return (await state.client.joinRoom(roomName!)).id;
    },
    [url, user, room, encoding],
  );
}

const send = (page: Page, chatId: string, text: string) =>
  page.evaluate(
    async ([id, content]) => (await (globalThis as unknown as PageState).client.send(id!, content!)).seq,
    [chatId, text],
  );

const heard = (page: Page) => page.evaluate(() => (globalThis as unknown as PageState).heard);

test('the entry point for browsers needs no module of Node and no package of gRPC', async () => {
  expect(built.missing).toEqual([]);
  expect(built.packages).toEqual(['@bufbuild/protobuf']);
  expect((await bundle('grpc.ts')).missing).toContain('node:tls');
});

test.for(['proto', 'json'])('a page sends and receives messages with frames of %s', async (encoding) => {
  const page = await pageWithSdk(service.url);
  const room = uniqueName('room');
  const chatId = await join(page, service.url, { user: uniqueName('page'), room, encoding });
  const other = await service.client(uniqueName('other'));
  await other.joinRoom(room);
  await send(page, chatId, 'from the page');
  await other.send(chatId, 'to the page');
  await eventually(async () => expect(await heard(page)).toEqual(['from the page', 'to the page']));
});

test('an unsent message survives its page, and the next page sends it once', async () => {
  const proxy = await startTcpProxy(service.url);
  onTestFinished(() => proxy.close());
  const url = proxy.dsn.replace(/\/$/, '');
  const names = { user: uniqueName('page'), room: uniqueName('room') };
  const page = await pageWithSdk(service.url);
  const chatId = await join(page, url, names);
  proxy.cut();
  await page.evaluate((id) => {
    const { client } = globalThis as unknown as PageState;
    for (const text of ['one', 'two']) client.send(id, text).catch(() => {});
  }, chatId);
  await load(page, service.url);
  proxy.restore();

  await join(page, url, names);

  await eventually(async () => {
    const [texts, pending, stored] = await page.evaluate(async (id) => {
      const { client } = globalThis as unknown as PageState;
      const { localStorage } = globalThis as unknown as { localStorage: sdk.WebStorage };
      const history = await client.history(id);
      return [history.map(({ text }) => text), client.pendingSends, localStorage.length] as const;
    }, chatId);
    expect([texts, pending, stored]).toEqual([['', 'one', 'two'], 0, 0]);
  });
});
