import { request as requestByTls } from 'node:https';
import { networkInterfaces } from 'node:os';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../config/config.ts';
import { signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { makeTestCertificates } from '../../testing/services/certificates.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { turns } from '../../testing/turns.ts';
import type { EventLoopReport } from '../../transport/admin/diagnostics.ts';

// Slow: profiles take seconds, and heap snapshots as long as this process has much in memory.
const admin = { ADMIN: 'true', ADMIN_PORT: '0' };
const token = 'a token of the operator';
const bearer = { authorization: `Bearer ${token}` };

let open: TestService;
beforeAll(async () => {
  open = await startTestService(admin);
});
afterAll(() => open.stop());

const urlOf = (service: TestService, path: string) => `http://127.0.0.1:${service.app.adminPort}${path}`;
const post = (path: string, init: RequestInit = {}, service = open) =>
  fetch(urlOf(service, path), { method: 'POST', ...init });

/** A function that the profiles must show. */
function burnTime(untilMs: number): number {
  let sum = 0;
  while (performance.now() < untilMs) for (let i = 0; i < 10_000; i += 1) sum += Math.sqrt(i);
  return sum;
}

/** Blocks the event loop again and again until the answer is there. */
async function burnTimeUntil(answer: Promise<unknown>, blockMs: number): Promise<void> {
  let done = false;
  const end = answer.finally(() => {
    done = true;
  });
  while (!done) {
    burnTime(performance.now() + blockMs);
    await turns(1);
  }
  await end;
}

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string } }[];
  samples: number[];
}

/** How many samples were taken in functions of this name. */
function samplesIn({ nodes, samples }: CpuProfile, name: string): number {
  const ids = new Set(nodes.filter(({ callFrame }) => callFrame.functionName === name).map(({ id }) => id));
  return samples.filter((id) => ids.has(id)).length;
}

/** The status of an answer that is not read further. */
async function statusOf(answer: Promise<Response>): Promise<number> {
  const { status, body } = await answer;
  await body?.cancel();
  return status;
}

/** Resolves when nothing is being taken any more. */
const untilIdle = (service = open) =>
  eventually(async () => expect(await statusOf(post('/debug/cpu-profile?seconds=1', {}, service))).toBe(200));

describe('a CPU profile', () => {
  test('shows the functions that were busy', async () => {
    const answer = post('/debug/cpu-profile?seconds=1');
    await burnTimeUntil(answer, 20);
    const response = await answer;
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename=chat-\d+-.*\.cpuprofile$/);
    const profile = (await response.json()) as CpuProfile;
    expect(samplesIn(profile, 'burnTime')).toBeGreaterThan(profile.samples.length / 4);
  });

  test('is refused while another one is being taken, and ends with its client', async () => {
    const leave = new AbortController();
    const both = [1, 2].map(() => post('/debug/cpu-profile?seconds=60', { signal: leave.signal }));
    const refused = await Promise.race(both);
    expect([refused.status, await refused.json()]).toEqual([
      409,
      { error: 'a CPU profile is being taken: only one at a time, try again when it is done' },
    ]);
    leave.abort();
    const [other] = (await Promise.allSettled(both)).filter(({ status }) => status === 'rejected');
    expect(other).toMatchObject({ reason: { name: 'AbortError' } });
    await untilIdle();
  });

  test('does not keep the service from stopping', async () => {
    const other = await startTestService(admin);
    const both = [1, 2].map(() => post('/debug/cpu-profile?seconds=60', {}, other));
    await Promise.race(both);
    await other.stop();
    expect((await Promise.allSettled(both)).map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

test('a heap snapshot is JSON with all objects', async () => {
  const response = await post('/debug/heap-snapshot');
  expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename=chat-\d+-.*\.heapsnapshot$/);
  const snapshot = (await response.json()) as {
    snapshot: { meta: { node_fields: string[] }; node_count: number };
    nodes: number[];
  };
  expect(snapshot.nodes).toHaveLength(snapshot.snapshot.node_count * snapshot.snapshot.meta.node_fields.length);
  expect(snapshot.snapshot.node_count).toBeGreaterThan(10_000);
});

test('a client that leaves ends its heap snapshot', async () => {
  const leave = new AbortController();
  const response = await post('/debug/heap-snapshot', { signal: leave.signal });
  expect(response.status).toBe(200);
  leave.abort();
  await expect(response.text()).rejects.toThrow();
  await untilIdle();
});

test('the report of the event loop tells how late it is, why, and what keeps the process alive', async () => {
  const stream = await (await signIn(open.transport(), 'alice')).connect();
  onTestFinished(() => stream.close());
  const answer = fetch(urlOf(open, '/debug/event-loop?seconds=1'));
  await burnTimeUntil(answer, 100);
  const report = (await (await answer).json()) as EventLoopReport;
  expect(report).toMatchObject({ pid: process.pid, seconds: 1 });
  expect(report.eventLoop.delayMs.max).toBeGreaterThan(30);
  expect(report.eventLoop.utilization).toBeGreaterThan(0.1);
  expect(report.cpu.userMs).toBeGreaterThan(50);
  expect(report.memory.heapUsed).toBeLessThan(report.memory.heapLimit);
  expect(report.resources.TCPSocketWrap).toBeGreaterThan(0);
});

test.each([
  ['POST', '/debug/cpu-profile?seconds=0', 'seconds', 'must be a whole number from 1 to 60'],
  ['POST', '/debug/cpu-profile?seconds=61', 'seconds', 'must be a whole number from 1 to 60'],
  ['POST', '/debug/cpu-profile?seconds=1.5', 'seconds', 'must be a whole number from 1 to 60'],
  ['POST', '/debug/cpu-profile?seconds=', 'seconds', 'must be a whole number from 1 to 60'],
  ['POST', '/debug/cpu-profile?seconds=1&seconds=2', 'seconds', 'must be a whole number from 1 to 60'],
  ['POST', '/debug/cpu-profile?second=5', 'second', 'is none of the parameters: seconds, worker'],
  ['GET', '/debug/event-loop?seconds=-1', 'seconds', 'must be a whole number from 1 to 60'],
  ['POST', '/debug/heap-snapshot?worker=1', 'worker', 'must be 0'],
])('%s %s is refused, and the field is named', async (method, path, field, description) => {
  const response = await fetch(urlOf(open, path), { method });
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({ error: `${field} ${description}`, fields: [{ field, description }] });
});

test('all faults of a request are named together', async () => {
  const response = await post('/debug/cpu-profile?seconds=x&worker=y');
  expect(((await response.json()) as { fields: { field: string }[] }).fields.map(({ field }) => field)).toEqual([
    'seconds',
    'worker',
  ]);
});

test('another method is refused with those that are allowed', async () => {
  const response = await fetch(urlOf(open, '/debug/heap-snapshot'));
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
});

describe('without ADMIN_TOKEN and ADMIN_CLIENT_CA', () => {
  test.each([[{ origin: 'https://example.com' }], [{ 'sec-fetch-site': 'cross-site' }]])(
    'a web page in a browser on this machine is refused: %j',
    async (headers) => {
      expect((await post('/debug/heap-snapshot', { headers })).status).toBe(403);
    },
  );

  test('a request by a name that only resolves to loopback is refused', async () => {
    const { request } = await import('node:http');
    const status = await new Promise((resolve) => {
      const headers = { host: 'rebound.example.com' };
      request(urlOf(open, '/debug/event-loop'), { headers }, (answer) => resolve(answer.resume().statusCode)).end();
    });
    expect(status).toBe(403);
  });

  test('an address that other machines can reach is refused at start', () => {
    const faults = (env: Record<string, string>) => {
      try {
        return readConfig(env).warnings.join();
      } catch (error) {
        return (error as Error).message;
      }
    };
    const exposed = { ADMIN_HOST: '0.0.0.0' };
    const tls = { ADMIN_TLS_CERT: 'c', ADMIN_TLS_KEY: 'k' };
    expect(faults(exposed)).toContain('set ADMIN_TOKEN or ADMIN_CLIENT_CA');
    expect(faults({ ...exposed, ...tls })).toContain('set ADMIN_TOKEN or ADMIN_CLIENT_CA');
    expect(faults({ ...exposed, ...tls, ADMIN_CLIENT_CA: 'a' })).toBe('');
    expect(faults({ ...exposed, ADMIN_CLIENT_CA: 'a' })).toContain(
      'ADMIN_CLIENT_CA needs ADMIN_TLS_CERT and ADMIN_TLS_KEY',
    );
    expect(faults({ ADMIN_TLS_CERT: 'c' })).toContain('ADMIN_TLS_CERT and ADMIN_TLS_KEY must be set together');
    const plain = { ...exposed, ADMIN_TOKEN: token };
    expect(faults(plain)).toContain('without TLS: set ADMIN_TLS_CERT and ADMIN_TLS_KEY');
    expect(faults({ ...plain, NODE_ENV: 'production' })).toContain('ALLOW_INSECURE has "plaintext"');
  });
});

/** An address of this machine that others can reach. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const found = addresses.find(({ internal, family }) => !internal && family === 'IPv4');
  if (!found) throw new Error('this machine has no address but loopback');
  return found.address;
}

test('beyond loopback nothing but health is answered without the token', async () => {
  const service = await startTestService({ ...admin, ADMIN_HOST: '0.0.0.0', ADMIN_TOKEN: token });
  onTestFinished(() => service.stop());
  const ask = (method: string, path: string, headers = {}) =>
    statusOf(fetch(`http://${ownAddress()}:${service.app.adminPort}${path}`, { method, headers }));
  for (const [method, path] of [
    ['GET', '/metrics'],
    ['GET', '/debug/event-loop'],
    ['POST', '/debug/heap-snapshot'],
    ['POST', '/debug/cpu-profile?seconds=1'],
  ] as const) {
    expect(await ask(method, path), path).toBe(401);
    expect(await ask(method, path, { authorization: `Bearer ${token}x` }), path).toBe(401);
    await eventually(async () => expect(await ask(method, path, bearer), path).toBe(200));
  }
  expect(await ask('GET', '/readyz')).toBe(200);
});

describe('with ADMIN_CLIENT_CA', () => {
  test('only clients with a certificate are answered, and the token is needed as well if it is set', async () => {
    const certificates = await makeTestCertificates();
    onTestFinished(() => certificates.remove());
    const { TLS_CERT, TLS_KEY } = certificates.env;
    const service = await startTestService({
      ...admin,
      ADMIN_TLS_CERT: TLS_CERT,
      ADMIN_TLS_KEY: TLS_KEY,
      ADMIN_CLIENT_CA: certificates.ca,
    });
    onTestFinished(() => service.stop());
    const ask = (options: object, headers: Record<string, string> = {}) =>
      new Promise((resolve, reject) => {
        const url = `https://localhost:${service.app.adminPort}/debug/event-loop`;
        requestByTls(url, { ...options, headers, servername: 'localhost', agent: false }, async (answer) => {
          resolve([answer.statusCode, ((await json(answer)) as { pid?: number }).pid]);
        })
          .on('error', reject)
          .end();
      });
    await expect(ask(certificates.trusting)).rejects.toThrow();
    // Not by loopback alone: a certificate replaces it.
    expect(await ask(certificates.showing, { host: 'admin.example.com' })).toEqual([200, process.pid]);
    service.reload({ ADMIN_TOKEN: token });
    expect(await ask(certificates.showing)).toEqual([401, undefined]);
    expect(await ask(certificates.showing, bearer)).toEqual([200, process.pid]);
  });
});
