import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { builtPage } from '../../../cmd/web/testing/built-page.ts';
import { freePort } from '../../embedded/server/free-port.ts';
import { dashboards as all } from '../../monitoring/dashboards.ts';
import { startPrometheus } from '../../servers/monitoring.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { faultsOf } from '../../testing/clients/axe.ts';
import { openPage } from '../../testing/clients/browser.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { type ConsoleService, startConsole } from '../../testing/services/console-service.ts';

let prometheus: ServerProcess;
let admin: ConsoleService;
beforeAll(async () => {
  const port = await freePort();
  prometheus = await startPrometheus({ chatPorts: [port], alertmanagerPort: undefined, everySeconds: 1 });
  const env = { ADMIN_PORT: `${port}`, ADMIN_PROMETHEUS_URL: `http://127.0.0.1:${prometheus.port}` };
  [admin] = await Promise.all([startConsole(env), builtPage()]);
});
afterAll(async () => {
  await admin.service.stop();
  await prometheus.stop();
});

interface Shown {
  uid: string;
  rows: { panels: { number: number; title: string; causes?: { uid: string; title: string } }[] }[];
}
interface Drawn {
  at: number[];
  lines: { label: string; values: (number | null)[] }[];
}

const listed = () => admin.get<{ available: boolean; dashboards: Shown[] }>('dashboards');
const panelNamed = async (uid: string, title: string) => {
  const { dashboards } = await listed();
  const { number } = dashboards
    .find((each) => each.uid === uid)!
    .rows.flatMap(({ panels }) => panels)
    .find((panel) => panel.title === title)!;
  return `dashboards/${uid}/panels/${number}`;
};

test('the dashboards are those of Grafana, and a panel is drawn from Prometheus by its query', async () => {
  const { available, dashboards } = await listed();
  expect(available).toBe(true);
  expect(dashboards.map(({ uid }) => uid)).toEqual(all.map(({ uid }) => uid));
  const alice = await signIn(admin.service.transport(), 'alice');
  const group = await newGroup(alice);
  const path = await panelNamed('chat-path', 'Messages and changes committed');
  await eventually(async () => {
    await say(alice, group, 'text');
    const { at, lines } = await admin.get<Drawn>(`${path}?minutes=5`);
    expect(at).toHaveLength(121);
    expect(lines.find(({ label }) => label === 'new')?.values.some((value) => (value ?? 0) > 0)).toBe(true);
  });
});

test('nobody can send a query of their own, or ask for a longer time', async () => {
  await expect(admin.get('dashboards/chat-path/panels/99')).rejects.toThrow('404: there is no such panel');
  await expect(admin.get('dashboards/nothing/panels/0')).rejects.toThrow('404: there is no such panel');
  const path = await panelNamed('chat-path', 'Readers');
  await expect(admin.get(`${path}?query=up`)).rejects.toThrow('400: query is none of the parameters: minutes');
  await expect(admin.get(`${path}?minutes=9999`)).rejects.toThrow('400: minutes must be a whole number from 5 to 1440');
});

test.each(['light', 'dark'] as const)(
  'the page draws every dashboard without faults, in %s colours',
  async (colorScheme) => {
    const { page, faults } = await openPage({ colorScheme });
    page.setDefaultTimeout(60_000);
    await page.goto(`${admin.url}/admin/`);
    await page.getByText('Use an access token instead').click();
    await page.getByLabel('Access token').fill(admin.token);
    await page.getByRole('button', { name: 'Use the token' }).click();
    await page.getByText('All processes, in the last 15 minutes, from Prometheus.').waitFor();
    await page.locator('.plot canvas').first().waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole('navigation', { name: 'Rooms' }).getByRole('link', { name: 'Dashboards' }).click();
    const links = page.getByRole('navigation', { name: 'Dashboards' }).getByRole('link');
    await links.first().waitFor();
    for (const title of await links.allInnerTexts()) {
      await links.filter({ hasText: title }).click();
      const { rows } = all.find((dashboard) => dashboard.title === title)!;
      await page.getByRole('heading', { level: 2, name: rows.at(-1)!.title }).waitFor();
      await page.locator('.panel').first().waitFor();
      expect(await faultsOf(page), title).toEqual([]);
    }
    expect(faults).toEqual([]);
  },
);

test('a plot shows its line in the colour of the key', async () => {
  const alice = await signIn(admin.service.transport(), 'alice');
  const group = await newGroup(alice);
  const { page } = await openPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${admin.url}/admin/#/dashboards?uid=chat-path`);
  await page.getByText('Use an access token instead').click();
  await page.getByLabel('Access token').fill(admin.token);
  await page.getByRole('button', { name: 'Use the token' }).click();
  await page.getByLabel('Time shown').selectOption('5 minutes');
  const plot = page.locator('.plot').filter({ hasText: 'Messages and changes committed' });
  await eventually(async () => {
    await say(alice, group, 'text');
    expect(await plot.locator('canvas').evaluate(coloured, '--line-0')).toBeGreaterThan(10);
  });
  expect(await plot.locator('canvas').evaluate(coloured, '--line-3')).toBe(0);
});

/** What the function below needs of the browser. */
interface Probe {
  style: { color: string };
  remove(): void;
}
interface Canvas {
  width: number;
  height: number;
  parentElement: { append(child: Probe): void };
  getContext(kind: '2d'): { getImageData(...area: number[]): { data: Uint8ClampedArray } };
}
interface Browser {
  document: { createElement(name: string): Probe };
  getComputedStyle(element: Probe): { color: string };
}

/** Runs in the browser: how many pixels of the canvas have about the colour of a CSS variable. */
function coloured(element: unknown, variable: string): number {
  const canvas = element as Canvas;
  const { document, getComputedStyle } = globalThis as unknown as Browser;
  const probe = document.createElement('span');
  probe.style.color = `var(${variable})`;
  canvas.parentElement.append(probe);
  const wanted = getComputedStyle(probe)
    .color.match(/[\d.]+/g)!
    .map(Number);
  probe.remove();
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    const isNear = [0, 1, 2].every((part) => Math.abs(data[at + part]! - wanted[part]!) < 24);
    if (data[at + 3]! > 128 && isNear) count += 1;
  }
  return count;
}

test('while Prometheus is away the panels say so', async () => {
  const away = await startConsole({ ADMIN_PROMETHEUS_URL: `http://127.0.0.1:${await freePort()}` });
  onTestFinished(() => away.service.stop());
  await expect(away.get('dashboards/chat-path/panels/0')).rejects.toThrow(
    '502: Prometheus (ADMIN_PROMETHEUS_URL) does not answer',
  );
});

test('without a Prometheus there are no dashboards, and the room says what to set', async () => {
  const without = await startConsole();
  onTestFinished(() => without.service.stop());
  expect(await without.get('dashboards')).toMatchObject({ available: false });
  await expect(without.get('dashboards/chat-path/panels/0')).rejects.toThrow(
    '404: there is no Prometheus to ask: set ADMIN_PROMETHEUS_URL',
  );
});
