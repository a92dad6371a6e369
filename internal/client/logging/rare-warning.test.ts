import { expect, onTestFinished, test, vi } from 'vitest';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { RareWarning } from './rare-warning.ts';

test('a repeated failure is logged once a minute, with the number of failures', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const log = new LogLines();
  const warning = new RareWarning(log.logger, 'it failed');
  for (let second = 0; second <= 60; second++) {
    warning.add(new Error('down'));
    vi.advanceTimersByTime(1_000);
  }
  expect(log.lines).toMatchObject([
    { level: 40, msg: 'it failed', failures: 1, err: { message: 'down' } },
    { level: 40, msg: 'it failed', failures: 60 },
  ]);
});
