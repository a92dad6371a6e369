import { expect, test } from 'vitest';
import { freePort } from '../../embedded/server/free-port.ts';
import { openPage } from '../../testing/clients/browser.ts';
import { newGroup, personOf, say, signIn } from '../../testing/clients/person.ts';
import { transportTo } from '../../testing/clients/transport-to.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

// Slow: the service starts three times under a page.
declare const heard: { id: string; text: string }[];

test('an EventSource reconnects after the service was replaced, and misses and doubles nothing', async () => {
  const env = {
    POSTGRES_DSN: await createTestDatabase(),
    GRPC_PORT: String(await freePort()),
    HTTP_PORT: String(await freePort()),
    RECONNECT_SPREAD_MS: '200',
  };
  const first = await ChildService.start(env);
  const alice = await signIn(transportTo(first.address), 'alice');
  const group = await newGroup(alice);
  const write = async (address: string, from: number, to: number) => {
    const writer = personOf(transportTo(address), alice);
    for (let i = from; i < to; i += 1) await say(writer, group, `${i}`);
  };
  await write(first.address, 0, 5);

  const { page } = await openPage();
  await page.goto(`${first.url}/docs`);
  await page
    .context()
    .addCookies([{ name: 'chat_token', value: alice.token, url: first.url, httpOnly: true, sameSite: 'Strict' }]);
  await page.evaluate(
    ([url]) => {
      const all: { id: string; text: string }[] = [];
      Object.assign(globalThis, { heard: all });
      const source = new EventSource(url!);
      source.addEventListener('message', ({ lastEventId, data }) => {
        all.push({ id: lastEventId, text: JSON.parse(data).text });
      });
    },
    [`/v1/chats/${group.id}/events?after_seq=1`],
  );
  const texts = () => page.evaluate(() => heard.map(({ text }) => text));
  await eventually(async () => expect(await texts()).toHaveLength(5));
  await write(first.address, 5, 10);

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const running = signal === 'SIGTERM' ? first : await ChildService.start(env);
    if (running !== first) {
      await write(running.address, 10, 15);
      await eventually(async () => expect(await texts()).toHaveLength(15));
    }
    running.signal(signal);
    await running.exited;
  }
  const last = await ChildService.start(env);
  await write(last.address, 15, 20);

  const expected = Array.from({ length: 20 }, (_, i) => `${i}`);
  await eventually(async () => expect((await texts()).at(-1)).toBe('19'));
  expect(await texts()).toEqual(expected);
  expect(await page.evaluate(() => heard.map(({ id }) => Number.parseInt(id, 10)))).toEqual(
    expected.map((_, i) => i + 2),
  );
});
