import { randomUUID } from 'node:crypto';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { builtPage } from '../../../cmd/web/testing/built-page.ts';
import { gatewayHeader, toGatewayNews } from '../../converter/node.ts';
import { openPage } from '../../testing/clients/browser.ts';
import { newGroup, newRoom, signIn } from '../../testing/clients/person.ts';
import { transportTo } from '../../testing/clients/transport-to.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { askConsole, newAdministrator, startConsole } from '../../testing/services/console-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { issueToken } from '../../testing/services/tokens.ts';

beforeAll(builtPage);

const withAdmin = { ADMIN: 'true', ADMIN_PORT: '0' };
const adminUrl = ({ stderr }: ChildService) => /metrics +(\S+)\/metrics/.exec(stderr)![1]!;

/** Asks the console of a process. Returns the status and the answer. */
async function ask(url: string, token: string | undefined, path: string, method = 'GET', body?: object) {
  const response = await askConsole(url, method, path, token, body);
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

const adminOf = async (dsn: string) =>
  (await issueToken(dsn, { userId: `operator-${randomUUID()}`, roles: ['user', 'admin'] })).token;

interface NodeRow {
  id: string;
  pid: number;
  roles: string[];
  ready: boolean;
}

test('with WORKERS the console answers by a worker, the one that is asked for or the first, and closes its streams', async () => {
  const dsn = await createTestDatabase();
  const service = await ChildService.start({ ...withAdmin, POSTGRES_DSN: dsn, BUS_URL: 'postgres:', WORKERS: '2' });
  const url = adminUrl(service);
  const token = await adminOf(dsn);
  expect((await ask(url, token, 'me')).body).toMatchObject({ workers: 2, program: 'the chat service' });
  expect((await ask(url, undefined, 'overview')).status).toBe(401);
  const nodeOf = async (query: string) => (await ask(url, token, `overview${query}`)).body.nodeId as unknown as string;
  const nodes = [await nodeOf('?worker=1'), await nodeOf('?worker=2')];
  expect(new Set(nodes).size).toBe(2);
  expect(nodes).toContain(await nodeOf(''));
  expect(await ask(url, token, 'overview?worker=3')).toMatchObject({
    status: 400,
    body: { fields: [{ field: 'worker', description: 'must be a whole number from 1 to 2' }] },
  });

  const stream = await (await signIn(transportTo(service.address), 'alice')).connect();
  const listed = await Promise.all([1, 2].map((worker) => ask(url, token, `streams?worker=${worker}`)));
  const streams = listed.map(({ body }) => body.streams as unknown as { id: string }[]);
  expect(streams.map((each) => each.length).toSorted()).toEqual([0, 1]);
  const worker = streams.findIndex((each) => each.length === 1) + 1;
  const path = `streams/${streams[worker - 1]![0]!.id}/close?worker=${worker}`;
  expect(await ask(url, token, path, 'POST', { reason: 'a try' })).toMatchObject({ status: 200 });
  await stream.ended;
  const { body } = await ask(url, token, 'audit');
  expect(body.events).toContainEqual(expect.objectContaining({ action: 'stream.close' }));
});

test('an administrator signs in on the page of a service with workers, and chooses the worker', async () => {
  const dsn = await createTestDatabase();
  const service = await ChildService.start({ ...withAdmin, POSTGRES_DSN: dsn, BUS_URL: 'postgres:', WORKERS: '2' });
  const account = await newAdministrator({ dsn, transport: () => transportTo(service.address) });
  const { page, faults } = await openPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${adminUrl(service)}/admin/#/nodes`);
  await page.getByLabel('User name').fill(account.username);
  await page.getByLabel('Password').fill(account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const own = page.getByRole('row').filter({ hasText: 'this one' });
  const pid = () => own.getByRole('cell').first().innerText();
  const choose = (worker: string) => page.getByRole('combobox', { name: 'Process' }).selectOption(worker);
  await choose('worker 1');
  await own.waitFor();
  const first = await pid();
  await choose('worker 2');
  await expect.poll(pid, { timeout: 60_000 }).not.toBe(first);
  expect(faults).toEqual([]);
});

test('a gateway by itself is listed by the services behind it, and its console answers what they do', async () => {
  const dsn = await createTestDatabase();
  const env = { ...withAdmin, POSTGRES_DSN: dsn, GATEWAY: 'false', TRUSTED_PROXIES: 'loopback' };
  const service = await ChildService.start(env);
  const gateway = await ChildService.start({ ...withAdmin, GATEWAY_UPSTREAMS: service.address }, 'gateway');
  const token = await adminOf(dsn);
  const listed = async () => {
    const { body } = await ask(adminUrl(service), token, 'nodes');
    return (body.nodes as unknown as NodeRow[]).find(({ pid }) => pid === gateway.pid);
  };
  await eventually(async () => expect(await listed()).toMatchObject({ roles: ['gateway'], ready: true }));

  const url = adminUrl(gateway);
  expect((await ask(url, token, 'me')).body).toMatchObject({
    program: 'a gateway by itself',
    rooms: ['overview', 'dashboards', 'chats', 'bans', 'audit', 'settings'],
  });
  expect((await ask(url, token, 'overview')).body).toMatchObject({ roles: ['gateway'], ready: true });
  const alice = await signIn(transportTo(service.address), 'alice');
  const group = await newGroup(alice);
  expect((await ask(url, token, `chats/${group.id}`)).body).toMatchObject({ members: [{ user: { id: alice.id } }] });
  expect((await ask(url, token, `users/${alice.id}/ban`, 'POST', { reason: 'spam' })).status).toBe(200);
  expect((await ask(url, token, 'bans')).body).toMatchObject({ bans: [{ user: { id: alice.id }, reason: 'spam' }] });
  expect((await ask(url, token, 'audit')).status).toBe(200);
  expect(await ask(url, token, 'chats')).toMatchObject({
    status: 404,
    body: { error: expect.stringContaining('ask the chat services behind it') },
  });
  expect(await ask(url, token, 'nodes')).toMatchObject({
    status: 404,
    body: {
      error: expect.stringMatching(/this process is a gateway by itself, .* ask a process with the chat service/),
    },
  });
  const { token: ofUser } = await issueToken(dsn, { userId: 'bob' });
  expect((await ask(url, ofUser, 'overview')).status).toBe(403);
  expect((await ask(url, 'nonsense', 'overview')).status).toBe(401);

  gateway.signal('SIGTERM');
  await gateway.exited;
  expect(await listed()).toBeUndefined();
});

test('a gateway that is not among the trusted proxies is not listed', async () => {
  const admin = await startConsole();
  onTestFinished(() => admin.service.stop());
  const id = randomUUID();
  const node = { host: 'forged', pid: 1, version: '1', roles: [], sessions: 0, connections: 0, ready: true };
  const metadata = new Metadata();
  metadata.set(gatewayHeader, toGatewayNews({ kind: 'lives', node: { id, startedAt: new Date(), ...node } }));
  const client = new Client(admin.service.address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const asIs = (bytes: Buffer) => bytes;
  await new Promise<void>((resolve, reject) => {
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', asIs, asIs, Buffer.alloc(0), metadata, (error) =>
      error ? reject(error) : resolve(),
    );
  });
  const { nodes } = await admin.get<{ nodes: NodeRow[] }>('nodes');
  expect(nodes.map((each) => each.id)).not.toContain(id);
});

test('the console of an auth-server shows its own state, and says who serves the rest', async () => {
  const dsn = await createTestDatabase();
  const service = await ChildService.start({ ...withAdmin, POSTGRES_DSN: dsn }, 'auth-server');
  const account = await newAdministrator({ dsn, transport: () => transportTo(service.address) });
  const { page, faults } = await openPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${adminUrl(service)}/admin/`);
  await page.getByLabel('User name').fill(account.username);
  await page.getByLabel('Password').fill(account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('ready', { exact: true }).waitFor();
  // Once it has been sampled twice. There are no streams to plot.
  await page.getByText(/resident \d/).waitFor();
  await page.getByRole('navigation', { name: 'Rooms' }).getByRole('link', { name: 'Streams' }).click();
  await page.getByText('This process is an auth-server, which does not serve this room.').waitFor();
  expect(faults).toEqual([]);
});

test('an administrator ends the sessions of an account at the auth-server, which its audit log tells', async () => {
  const dsn = await createTestDatabase();
  const service = await ChildService.start({ ...withAdmin, POSTGRES_DSN: dsn }, 'auth-server');
  const { auth } = transportTo(service.address);
  const { username, password } = { username: `Alice-${randomUUID().slice(0, 8)}`, password: randomUUID() };
  const { accessToken } = await auth.register({ username, password, name: '' }, {});
  const url = adminUrl(service);
  const token = await adminOf(dsn);
  const id = username.toLowerCase();
  expect((await ask(url, token, 'me')).body.rooms).toEqual(['overview', 'dashboards', 'users', 'audit', 'settings']);
  expect((await ask(url, token, `users?prefix=${username}`)).body).toMatchObject({ users: [{ id }] });
  expect((await ask(url, token, `users/${id}`)).body).toMatchObject({ chats: [], sessions: [{}] });
  const revoked = await ask(url, token, `users/${id}/revoke-sessions`, 'POST', { reason: 'lost phone' });
  expect(revoked).toMatchObject({ status: 200, body: { ended: 1 } });
  await expect(auth.getMe({}, { token: accessToken })).rejects.toMatchObject({ reason: 'SESSION_REVOKED' });
  const { events } = (await ask(url, token, `audit?actorId=${id}`)).body;
  expect(events).toContainEqual(
    expect.objectContaining({
      action: 'session.revoke',
      actorId: expect.stringMatching(/^operator-/),
      detail: expect.objectContaining({ user_id: id, why: 'lost phone' }),
    }),
  );
});

test('the console of a relay by itself shows nodes, users and the export, and says who serves the rest', async () => {
  const dsn = await createTestDatabase();
  const chat = await ChildService.start({ POSTGRES_DSN: dsn });
  const alice = await signIn(transportTo(chat.address), 'alice');
  await newRoom(alice);
  const relay = await ChildService.start(
    { ...withAdmin, POSTGRES_DSN: dsn, ROLES: 'relay', EXPORT: 'jetstream', NATS_URL: 'nats://127.0.0.1:1' },
    'server',
  );
  const url = adminUrl(relay);
  const token = await adminOf(dsn);
  expect((await ask(url, token, 'me')).body).toMatchObject({
    program: 'the relay by itself',
    rooms: ['overview', 'dashboards', 'nodes', 'users', 'background', 'settings'],
  });
  await eventually(async () => {
    const { body } = await ask(url, token, 'nodes');
    expect((body.nodes as unknown as NodeRow[]).map(({ pid }) => pid)).toContain(relay.pid);
  });
  await eventually(async () => {
    const { body } = await ask(url, token, 'background');
    expect(body).toMatchObject({ ownRelay: { sink: 'jetstream', failure: expect.any(String) } });
  });
  expect((await ask(url, token, `users?prefix=${alice.id}`)).body).toMatchObject({ users: [{ id: alice.id }] });
  expect(await ask(url, token, 'streams')).toMatchObject({
    status: 404,
    body: { error: expect.stringContaining('the relay by itself') },
  });
});
