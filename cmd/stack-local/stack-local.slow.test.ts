// Slow: it starts ten programs.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { newGroup, personOf, say, signIn } from '../../internal/testing/clients/person.ts';
import { commands } from '../../internal/testing/clients/stream-probe.ts';
import { transportTo } from '../../internal/testing/clients/transport-to.ts';
import { eventually } from '../../internal/testing/eventually.ts';
import { programEnv } from '../../internal/testing/services/program-env.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** Runs the program in a process group of its own, as a shell does. */
async function run() {
  const logs = await mkdtemp(join(tmpdir(), 'chat-stack-logs-'));
  const child = spawn(process.execPath, [main, '--logs', logs], { env: programEnv(), detached: true });
  const exited = once(child, 'exit');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const ctrlC = () => process.kill(-child.pid!, 'SIGINT');
  onTestFinished(async () => {
    if (child.exitCode === null) ctrlC();
    await exited;
    await rm(logs, { recursive: true });
  });
  await eventually(() => {
    expect(child.exitCode, output).toBe(null);
    expect(output).toContain('Ctrl-C ends everything');
  });
  const addresses = Object.fromEntries(
    [...output.matchAll(/^(\S+(?: \d)?) {2,}(\S+?),?(?: .*)?$/gm)].map((row) => row.slice(1)),
  );
  return { addresses: addresses as Record<string, string>, ctrlC, exited };
}

test('a message sent through HAProxy is read on every node, Prometheus sees all of them, and Ctrl-C ends everything', async () => {
  const { addresses, ctrlC, exited } = await run();
  const alice = await signIn(transportTo(addresses.gRPC!), 'alice');
  const group = await newGroup(alice);
  const nodes = ['node 1', 'node 2', 'node 3'].map((name) => addresses[name]!);
  const readers = await Promise.all(
    nodes.map(async (address) => {
      const reader = await personOf(transportTo(address), alice).connect();
      await reader.ask(commands.subscribe(group.id, 0));
      return reader;
    }),
  );
  await say(alice, group, 'by gRPC');
  const headers = { authorization: `Bearer ${alice.token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ text: 'by REST', clientMessageId: crypto.randomUUID() });
  const sent = await fetch(`${addresses.HTTP}/v1/chats/${group.id}/messages`, { method: 'POST', headers, body });
  expect(sent.status).toBe(200);
  for (const reader of readers)
    await eventually(() =>
      expect(
        reader
          .messages(group.id)
          .map(({ text }) => text)
          .slice(1),
      ).toEqual(['by gRPC', 'by REST']),
    );

  const up = `${addresses.Prometheus}/api/v1/query?query=up{job="chat"}==1`;
  await eventually(async () => {
    const answer = (await (await fetch(up)).json()) as { data: { result: unknown[] } };
    expect(answer.data.result).toHaveLength(3);
  });

  ctrlC();
  expect(await exited).toEqual([0, null]);
  for (const address of Object.values(addresses)) if (address.includes(':')) expect(await accepts(address)).toBe(false);
});

test('without its programs it says how to get them, and starts nothing', async () => {
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    const env = { ...programEnv(), PATH: '' };
    execFile(process.execPath, [main], { env, cwd: tmpdir() }, (error, _stdout, stderr) =>
      resolve({ code: error?.code, stderr }),
    );
  });
  expect(code).toBe(1);
  const packages = 'nats-server redis-server haproxy prometheus prometheus-alertmanager';
  expect(stderr).toBe(`error: programs are missing: apt-get install --no-install-recommends ${packages}\n`);
});

/** Whether something listens at `host:port`, or at the one of a URL. */
function accepts(address: string): Promise<boolean> {
  const [, port] = /:(\d+)(?:\/\w*)?$/.exec(address)!;
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
