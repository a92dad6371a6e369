import { afterAll, beforeAll, expect, test } from 'vitest';
import { uniqueName } from '../../internal/testing/clients/person.ts';
import { eventually } from '../../internal/testing/eventually.ts';
import { startTestService, type TestService } from '../../internal/testing/services/test-service.ts';
import { builtPage } from './testing/built-page.ts';
import { ChatPage } from './testing/chat-page.ts';

// Slow: 10,000 messages are written and scrolled through in a browser.
const messageCount = 10_000;

let service: TestService;
let room: { id: string; name: string };
beforeAll(async () => {
  [service] = await Promise.all([startTestService(), builtPage()]);
  const writer = await service.client('writer');
  room = await writer.joinRoom('long');
  for (let at = 1; at <= messageCount; at += 500) {
    const texts = Array.from({ length: 500 }, (_, index) => textOf(at + index));
    await Promise.all(texts.map((text) => writer.send(room.id, text)));
  }
});
afterAll(() => service?.stop());

/** Of different heights. */
function textOf(number: number): string {
  return `message ${number}${' and some more words'.repeat(number % 7)}`;
}

/** The number of each message that is in the document, with its place on the screen. */
async function shown({ page }: ChatPage): Promise<{ number: number; top: number }[]> {
  const all = await page.locator('.bubble').evaluateAll((bubbles) =>
    bubbles.map((one) => ({
      number: Number(/message (\d+)/.exec(one.querySelector('.bubble-text')?.textContent ?? '')?.[1]),
      top: one.getBoundingClientRect().top,
    })),
  );
  return all.sort((one, other) => one.number - other.number);
}

async function open(): Promise<ChatPage> {
  const anna = await ChatPage.guest(service.url, uniqueName('anna'));
  await anna.join(room.name);
  await anna.page.getByText(textOf(messageCount), { exact: true }).waitFor();
  return anna;
}

test('history that is read while scrolling up leaves what is on the screen in its place', async () => {
  const anna = await open();
  const held: (() => void)[] = [];
  await anna.page.route(/before_?seq/i, async (route) => {
    await new Promise<void>((resolve) => held.push(resolve));
    await route.continue();
  });
  const height = await eventually(async () => {
    await anna.scroller.evaluate((element) => element.scrollTo(0, 400));
    const [top, whole] = await anna.scroller.evaluate((element) => [element.scrollTop, element.scrollHeight]);
    expect([held.length, top]).toEqual([1, 400]);
    return whole!;
  });
  const before = (await shown(anna)).find(({ top }) => top > 150)!;
  held[0]!();
  await eventually(async () => {
    expect(await anna.scroller.evaluate((element) => element.scrollHeight)).toBeGreaterThan(height + 1_000);
  });
  await eventually(async () => {
    const after = (await shown(anna)).find(({ number }) => number === before.number);
    expect(Math.abs(after!.top - before.top)).toBeLessThan(3);
  });
});

test('a chat of 10,000 messages is read to its beginning and back with few elements in the document', async () => {
  const anna = await open();
  const beginning = anna.page.getByText('This is the beginning of the chat.');
  let most = 0;
  while (!(await beginning.isVisible())) {
    await anna.scroller.evaluate((element) => element.scrollTo(0, 0));
    const all = await shown(anna);
    most = Math.max(most, all.length);
    const numbers = all.map(({ number }) => number);
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
  }
  await anna.page.getByText(textOf(1), { exact: true }).waitFor();
  expect(most).toBeLessThan(80);
  await anna.page.getByRole('button', { name: /go to the end/ }).click();
  await anna.page.getByText(textOf(messageCount), { exact: true }).waitFor();
  await eventually(async () => {
    const left = await anna.scroller.evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight);
    expect(left).toBeLessThan(2);
  });
  expect(anna.faults).toEqual([]);
});

test('who reads at the end stays there, and who reads further up is told that there is more', async () => {
  const anna = await open();
  const ben = await service.client(uniqueName('ben'));
  const other = await ben.joinRoom(uniqueName('other'));
  await anna.join(other.name);
  for (let index = 1; index <= 60; index += 1) await ben.send(other.id, textOf(index));
  await anna.page.getByText(textOf(60), { exact: true }).waitFor();
  await eventually(async () => {
    await anna.scroller.evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
    expect(await anna.page.getByRole('button', { name: /go to the end/ }).count()).toBe(1);
  });
  const place = await anna.scroller.evaluate((element) => element.scrollTop);
  await ben.send(other.id, 'news');
  await anna.page.getByRole('button', { name: '1 new messages: go to the end' }).waitFor();
  expect(await anna.scroller.evaluate((element) => element.scrollTop)).toBe(place);
  await anna.page.getByRole('button', { name: /go to the end/ }).click();
  await anna.page.getByText('news', { exact: true }).first().waitFor();
});
