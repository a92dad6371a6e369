import { afterAll, beforeAll, expect, test } from 'vitest';
import { MetricHistory } from '../../client/metrics/history/metric-history.ts';
import type { MetricPoint } from '../../client/metrics/history/metric-point.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { type ConsoleService, startConsole } from '../../testing/services/console-service.ts';

let admin: ConsoleService;
beforeAll(async () => {
  admin = await startConsole();
});
afterAll(() => admin.service.stop());

test('the overview tells the state of the process and, once it was measured, what it does', async () => {
  const alice = await signIn(admin.service.transport(), 'alice');
  const stream = await alice.connect();
  const group = await newGroup(alice);
  const overview = () => admin.get<{ history: MetricPoint[] }>('overview');
  expect(await overview()).toMatchObject({ ready: true, reasons: [], version: expect.stringMatching(/^\d/) });
  await eventually(async () => {
    await say(alice, group, 'hello');
    const { history } = await overview();
    expect(history.some((point) => point.messagesPerSecond > 0 && point.acknowledgementP99Ms! > 0)).toBe(true);
    expect(history.at(-1)).toMatchObject({ sessions: { grpc: 1 }, residentBytes: expect.any(Number) });
  });
  stream.close();
});

test('only the newest points are kept, and a failed reading is tried again', async () => {
  let total = 0;
  const failures: unknown[] = [];
  const expose = async () => {
    total += 10;
    if (total === 30) throw new Error('not now');
    return { text: `chat_messages_saved_total ${total}\nchat_refusals_total{reason="BANNED"} ${total * 2}\n` };
  };
  const history = new MetricHistory(
    { expose, onError: (error) => failures.push(error) },
    { everyMs: 60_000, maxPoints: 3 },
  );
  for (let i = 0; i < 8; i += 1) await history.read();
  await history.stop();
  expect(failures).toEqual([new Error('not now')]);
  expect(history.points.length).toBe(3);
  const last = history.points.at(-1)!;
  expect(last.refusalsPerSecond.BANNED).toBeCloseTo(last.messagesPerSecond * 2);
});
