import { pino } from 'pino';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { revocationTimes } from '../../app/parts/open-revocations.ts';
import { ChatError } from '../../model/errors.ts';
import type { Principal } from '../../model/principal.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { principalOf } from '../../testing/services/test-node.ts';
import { RevocationLog } from './revocations.fixture.ts';
import { Revocations, type RevocationsDeps, type RevocationsOptions } from './revocations.ts';

const opened: Revocations[] = [];
afterEach(() => {
  for (const revocations of opened.splice(0)) revocations.close();
});

function create(deps: Partial<RevocationsDeps>, options: Partial<RevocationsOptions> = {}): Revocations {
  const revocations = new Revocations(
    { log: pino({ level: 'silent' }), ...deps },
    {
      pollMs: 20,
      maxBackoffMs: 100,
      readTimeoutMs: 300,
      fullReadMs: 60_000,
      rememberMs: 60_000,
      startTimeoutMs: 5_000,
      ...options,
    },
  );
  opened.push(revocations);
  return revocations;
}

async function start(log: RevocationLog, options: Partial<RevocationsOptions> = {}): Promise<Revocations> {
  const revocations = create({ sessions: log, bans: log }, options);
  await revocations.start();
  return revocations;
}

/** Uses virtual time from here on. */
function holdTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
}

const bearer = (userId: string, sessionId?: string): Principal => ({ ...principalOf(userId), sessionId });

/** The reason for which the token is refused; undefined if it is not. */
function refusal(revocations: Revocations, principal: Principal): string | undefined {
  try {
    revocations.check(principal);
    return undefined;
  } catch (error) {
    return (error as ChatError).reason;
  }
}

describe('a token', () => {
  test('is accepted unless its session has ended or its user is banned, before the start or later', async () => {
    const log = new RevocationLog();
    log.end('old');
    log.ban('mallory');
    holdTime();
    const revocations = await start(log, revocationTimes);
    expect(refusal(revocations, bearer('alice', 'old'))).toBe('SESSION_REVOKED');
    expect(refusal(revocations, bearer('mallory', 'other'))).toBe('BANNED');
    expect(refusal(revocations, bearer('mallory'))).toBe('BANNED');
    expect(refusal(revocations, bearer('mallory', 'old'))).toBe('BANNED');
    expect(refusal(revocations, bearer('alice', 'new'))).toBeUndefined();
    expect(refusal(revocations, bearer('alice'))).toBeUndefined();

    log.end('new');
    log.ban('bob');
    // The service promises a second.
    await vi.advanceTimersByTimeAsync(500);
    expect(refusal(revocations, bearer('alice', 'new'))).toBe('SESSION_REVOKED');
    expect(refusal(revocations, bearer('bob', 'x'))).toBe('BANNED');
    expect(refusal(revocations, bearer('alice', 'third'))).toBeUndefined();
  });

  test('of a user whose ban was lifted or has expired is accepted again', async () => {
    const log = new RevocationLog();
    holdTime();
    const expiresAt = new Date(Date.now() + 400);
    log.ban('alice');
    log.ban('bob', expiresAt);
    const revocations = await start(log);
    expect(() => revocations.check(bearer('bob'))).toThrow(`until ${expiresAt.toISOString()}`);
    log.lift('alice');
    await vi.advanceTimersByTimeAsync(399);
    expect([refusal(revocations, bearer('alice')), refusal(revocations, bearer('bob'))]).toEqual([undefined, 'BANNED']);
    await vi.advanceTimersByTimeAsync(1);
    expect(refusal(revocations, bearer('bob'))).toBeUndefined();
    log.ban('bob', new Date(Date.now() + 60_000));
    await vi.advanceTimersByTimeAsync(20);
    expect(refusal(revocations, bearer('bob'))).toBe('BANNED');
  });

  test('is accepted without any source', async () => {
    const revocations = create({});
    await revocations.start();
    await revocations.refresh();
    expect(refusal(revocations, bearer('alice', 'any'))).toBeUndefined();
  });
});

describe('a refresh', () => {
  test('sees every change before it, even if a read was running', async () => {
    const log = new RevocationLog();
    const revocations = await start(log, { pollMs: 60_000 });
    const [go, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    log.onRead = () => go.promise;
    const first = revocations.refresh();
    await eventually(() => expect(log.reads).toBe(4));
    log.end('s');
    log.ban('alice');
    const [second, third] = [revocations.refresh(), revocations.refresh()];
    log.onRead = () => goOn.promise;
    go.resolve();
    await first;
    expect(refusal(revocations, bearer('x', 's'))).toBeUndefined();
    goOn.resolve();
    await Promise.all([second, third]);
    expect([refusal(revocations, bearer('x', 's')), refusal(revocations, bearer('alice'))]).toEqual([
      'SESSION_REVOKED',
      'BANNED',
    ]);
    // Concurrent calls share one read.
    expect(log.reads).toBe(6);
  });

  test('of one kind does not depend on the other kind', async () => {
    const sessions = new RevocationLog();
    const bans = new RevocationLog();
    const revocations = create({ sessions, bans }, { pollMs: 60_000, maxBackoffMs: 60_000 });
    await revocations.start();
    for (const [kind, other] of [
      ['sessions', bans],
      ['bans', sessions],
    ] as const) {
      other.onRead = () => Promise.reject(new ChatError('STORAGE_UNAVAILABLE', 'away'));
      await revocations.refresh(kind);
      await expect(revocations.refresh()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      other.onRead = async () => {};
      await revocations.refresh();
    }
  });

  test('fails with the error of the source, and with DRAINING when closed', async () => {
    const log = new RevocationLog();
    const revocations = await start(log, { pollMs: 60_000, maxBackoffMs: 60_000 });
    const away = new ChatError('STORAGE_UNAVAILABLE', 'away');
    log.onRead = () => Promise.reject(away);
    await expect(revocations.refresh()).rejects.toBe(away);
    log.onRead = async () => {};
    await revocations.refresh();
    log.onRead = () => new Promise(() => {});
    await expect(revocations.refresh()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const waiting = revocations.refresh();
    revocations.close();
    await expect(waiting).rejects.toMatchObject({ reason: 'DRAINING' });
    await expect(revocations.refresh()).rejects.toMatchObject({ reason: 'DRAINING' });
  });

  test('calls listeners once for new revocations', async () => {
    const log = new RevocationLog();
    const revocations = await start(log, { pollMs: 60_000 });
    let told = 0;
    const stop = revocations.onChange(() => {
      told += 1;
    });
    await revocations.refresh();
    expect(told).toBe(0);
    log.end('s', 't');
    await revocations.refresh();
    await revocations.refresh();
    expect(told).toBe(1);
    stop();
    log.end('u');
    await revocations.refresh();
    expect(told).toBe(1);
  });
});

describe('a source', () => {
  test('is read one at a time, from the last cursor on', async () => {
    const log = new RevocationLog();
    log.end('a', 'b');
    log.ban('alice');
    const revocations = create({ sessions: log }, { pollMs: 1 });
    let underWay = 0;
    let most = 0;
    log.onRead = async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
    };
    await revocations.start();
    const asking = Array.from({ length: 20 }, () => revocations.refresh());
    await Promise.all(asking);
    await eventually(() => expect(log.reads).toBeGreaterThan(5));
    expect(most).toBe(1);
    expect(log.cursors.slice(0, 3)).toEqual([undefined, '2', '2']);
  });

  test('is read from the beginning once a minute, and bans that are not in that answer are over', async () => {
    const log = new RevocationLog();
    log.ban('lost');
    log.ban('kept');
    log.end('s');
    holdTime();
    const revocations = await start(log, { ...revocationTimes, rememberMs: 600_000 });
    let told = 0;
    revocations.onChange(() => {
      told += 1;
    });
    log.lose('lost');
    await vi.advanceTimersByTimeAsync(59_000);
    expect(refusal(revocations, bearer('lost'))).toBe('BANNED');
    expect(log.cursors.filter((cursor) => cursor === undefined)).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(log.cursors.filter((cursor) => cursor === undefined)).toHaveLength(4);
    expect(refusal(revocations, bearer('lost'))).toBeUndefined();
    expect(refusal(revocations, bearer('kept'))).toBe('BANNED');
    expect(refusal(revocations, bearer('x', 's'))).toBe('SESSION_REVOKED');
    // No token is refused that was accepted before.
    expect(told).toBe(0);
    log.ban('late', new Date(Date.now() + 60_000));
    await vi.advanceTimersByTimeAsync(500);
    expect([told, refusal(revocations, bearer('late'))]).toEqual([1, 'BANNED']);
  });

  test('that is unreachable is logged once, leaves known revocations in force, and is read again as soon as it is reachable', async () => {
    const lines = new LogLines();
    const log = new RevocationLog();
    log.end('old');
    const revocations = create({ sessions: log, log: lines.logger });
    await revocations.start();
    log.onRead = () => Promise.reject(new Error('connection refused'));
    const before = log.reads;
    await eventually(() => expect(log.reads).toBeGreaterThan(before + 5));
    log.end('meanwhile');
    expect(refusal(revocations, bearer('alice', 'old'))).toBe('SESSION_REVOKED');
    expect(refusal(revocations, bearer('alice', 'new'))).toBeUndefined();
    log.onRead = async () => {};
    const back = log.reads;
    await eventually(() => expect(refusal(revocations, bearer('alice', 'meanwhile'))).toBe('SESSION_REVOKED'));
    expect(log.reads).toBeLessThanOrEqual(back + 2);
    log.onRead = () => Promise.reject(new Error('connection refused'));
    const again = log.reads;
    await eventually(() => expect(log.reads).toBeGreaterThan(again + 3));
    expect(lines.lines.map(({ msg }) => msg)).toEqual([
      'cannot read the ended sessions; trying again',
      'reading the ended sessions again',
      'cannot read the ended sessions; trying again',
    ]);
  });

  test('that does not answer is read again', async () => {
    const log = new RevocationLog();
    const revocations = await start(log, { readTimeoutMs: 50 });
    log.onRead = () => new Promise(() => {});
    const hung = log.reads;
    await eventually(() => expect(log.reads).toBeGreaterThan(hung));
    log.end('s');
    log.onRead = async () => {};
    await eventually(() => expect(refusal(revocations, bearer('alice', 's'))).toBe('SESSION_REVOKED'));
  });

  test('that is unreachable at the start is waited for', async () => {
    const log = new RevocationLog();
    log.end('s');
    let failures = 3;
    log.onRead = async () => {
      failures -= 1;
      if (failures > 0) throw new Error('connection refused');
    };
    expect(refusal(await start(log), bearer('alice', 's'))).toBe('SESSION_REVOKED');
  });

  test.each<[string, () => Promise<void>, string]>([
    ['fails', () => Promise.reject(new Error('connection refused')), 'the ended sessions: connection refused'],
    ['hangs', () => new Promise(() => {}), 'the ended sessions: '],
  ])('that %s at the start for too long makes the start fail with the reason', async (_, onRead, message) => {
    const log = new RevocationLog();
    log.onRead = onRead;
    const revocations = create({ sessions: log }, { startTimeoutMs: 100 });
    await expect(revocations.start()).rejects.toThrow(`cannot read ${message}`);
    await expect(revocations.refresh()).rejects.toMatchObject({ reason: 'DRAINING' });
  });
});

test('expired entries are removed', async () => {
  const log = new RevocationLog();
  const revocations = await start(log, { rememberMs: 100 });
  for (let i = 0; i < 50; i += 1) {
    log.end(...Array.from({ length: 20 }, (_, j) => `${i} ${j}`));
    log.ban(`user ${i}`, new Date(Date.now() + 50));
    log.ban(`lifted ${i}`);
    log.lift(`lifted ${i}`);
    await revocations.refresh();
  }
  expect(revocations.size).toBeGreaterThan(0);
  await eventually(async () => {
    await revocations.refresh();
    // The source repeats its last item.
    expect(revocations.size).toBeLessThanOrEqual(1);
  });
});
