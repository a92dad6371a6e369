import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { newGroup, type Person, say, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { transportTo } from '../../testing/clients/transport-to.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

/** The settings in the file that the service reads again. */
async function settingsFile(content: string) {
  const folder = await mkdtemp(join(tmpdir(), 'chat-settings-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'chat.env');
  const write = (text: string) => writeFile(path, text);
  await write(content);
  return { path, write };
}

/** Starts the real program with a file of settings. `reload` resolves when the line that answers SIGHUP is in the log. */
async function startWithFile(content: string, env: Record<string, string> = {}) {
  const file = await settingsFile(content);
  const service = await ChildService.start({
    POSTGRES_DSN: await createTestDatabase(),
    CONFIG_FILE: file.path,
    RATE_LIMIT_MESSAGES: undefined,
    ...env,
  });
  const count = (msg: RegExp) => service.logs.filter((line) => msg.test(String(line.msg))).length;
  return {
    service,
    file,
    async reload(text: string, answer: RegExp) {
      const before = count(answer);
      await file.write(text);
      service.signal('SIGHUP');
      await eventually(() => expect(count(answer)).toBe(before + 1));
    },
  };
}

const inForce = /new settings are in force/;

/** Sends messages until one is refused, and returns the numbers of those that were acknowledged. */
async function sendUntilRefused(alice: Person, group: { id: string }): Promise<number[]> {
  const acknowledged: number[] = [];
  for (;;) {
    try {
      acknowledged.push((await say(alice, group, randomUUID())).seq);
    } catch (error) {
      expect(error).toMatchObject({ reason: 'RATE_LIMITED' });
      return acknowledged;
    }
  }
}

test('SIGHUP changes a rate limit while a stream is open, and nothing is lost', async () => {
  const { service, reload } = await startWithFile('RATE_LIMIT_MESSAGES=0\nLOG_LEVEL=info\n');
  const [alice, bob] = await Promise.all([
    signIn(transportTo(service.address), 'alice'),
    signIn(transportTo(service.address), 'bob'),
  ]);
  const group = await newGroup(alice, bob);
  const stream = await bob.connect();
  await stream.ask(commands.subscribe(group.id));

  const sending = sendUntilRefused(alice, group);
  await eventually(() => expect(stream.messages(group.id).length).toBeGreaterThan(20));
  await reload('RATE_LIMIT_MESSAGES=1\nLOG_LEVEL=info\nPOSTGRES_POOL_SIZE=20\nWORKERS=2', inForce);
  const before = await sending;
  const line = service.logs.findLast(({ msg }) => inForce.test(String(msg)));
  expect(line?.applied).toEqual(['RATE_LIMIT_MESSAGES']);
  for (const name of ['POSTGRES_POOL_SIZE', 'WORKERS']) {
    expect(service.logs).toContainEqual(expect.objectContaining({ msg: `${name} has changed: needs a restart` }));
  }

  await reload('RATE_LIMIT_MESSAGES=0\nLOG_LEVEL=info\n', inForce);
  const after = await Promise.all(Array.from({ length: 50 }, () => say(alice, group, randomUUID())));
  const all = [...before, ...after.map(({ seq }) => seq)].toSorted((a, b) => a - b);
  await eventually(() => expect(stream.messages(group.id).map(({ seq }) => seq)).toEqual(all));
  expect(stream.all('closing')).toEqual([]);
});

test('a faulty file changes nothing, and all its faults are logged', async () => {
  const { service, reload } = await startWithFile('RATE_LIMIT_MESSAGES=0');
  await reload('RATE_LIMIT_MESSAGES=1\nMAX_MEMBERS=many\nWORKERS=x\nTRACING_URL=ftp://secret', /are faulty/);
  const { faults } = service.logs.findLast(({ msg }) => /are faulty/.test(String(msg)))!;
  expect((faults as string[]).map((fault) => fault.split(' ')[0])).toEqual(['WORKERS', 'TRACING_URL', 'MAX_MEMBERS']);
  const alice = await signIn(transportTo(service.address), 'alice');
  const group = await newGroup(alice);
  await Promise.all(Array.from({ length: 30 }, () => say(alice, group, 'text')));
  expect(service.stdout).not.toContain('secret');
});

test('SIGHUP changes the level of the log', async () => {
  const { service, reload } = await startWithFile('LOG_LEVEL=silent');
  const lines = () => service.logs.map(({ level }) => level);
  expect(lines()).toEqual([]);
  await reload('LOG_LEVEL=info', inForce);
  await signIn(transportTo(service.address), 'alice');
  await eventually(() => expect(lines().length).toBeGreaterThan(1));
});

test('without a file SIGHUP is harmless', async () => {
  const service = await ChildService.start({ POSTGRES_DSN: await createTestDatabase() });
  service.signal('SIGHUP');
  await eventually(() =>
    expect(service.logs).toContainEqual(
      expect.objectContaining({ msg: expect.stringContaining('there is no CONFIG_FILE') }),
    ),
  );
  await signIn(transportTo(service.address), 'alice');
});

test('a file that cannot be read stops the start with the reason', async () => {
  const service = ChildService.spawn({ CONFIG_FILE: '/nowhere/chat.env' });
  expect(await service.exited).toEqual({ code: 2, signal: null });
  expect(service.stderr).toBe('error: CONFIG_FILE: cannot read /nowhere/chat.env (ENOENT)\n');
});
