import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { readManifests } from '../check-manifests/read-manifests.ts';
import { checkChart } from './check-chart.ts';
import { comparable } from './comparable.ts';
import { readChart } from './read-chart.ts';
import { HelmError, renderChart } from './run-helm.ts';

const path = (relative: string) => fileURLToPath(new URL(`../../../${relative}`, import.meta.url));
const chart = path('deploy/helm/chat');
const secrets = path('deploy/kubernetes/secrets.env.example');

/** A copy in which some text of one file is other text. */
async function changed(file: string, text: string, other: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'chat-chart-'));
  onTestFinished(() => rm(copy, { recursive: true }));
  await cp(chart, copy, { recursive: true });
  const before = await readFile(join(copy, file), 'utf8');
  expect(before).toContain(text);
  await writeFile(join(copy, file), before.replace(text, other));
  return copy;
}

/** What Helm says of these values. */
async function refusal(...values: string[]): Promise<string> {
  const args = values.flatMap((value) => ['--set', value]);
  const error = await renderChart(chart, 'chat', args).then(
    () => undefined,
    (error) => error,
  );
  expect(error).toBeInstanceOf(HelmError);
  return (error as HelmError).message;
}

test('the chart of this project is right, with its own values and with those of its examples', async () => {
  expect(await checkChart(chart, secrets)).toEqual([]);
});

test.each([
  ['templates/nodes.yaml', 'minReadySeconds', 'minReadySecond', /values\.yaml: .*Deployment chat: .*minReadySecond is/],
  ['templates/metrics.yaml', 'podTargetLabels: [', 'podTargetLabel: [', /ServiceMonitor talk: .*podTargetLabel/],
  ['templates/_pod.tpl', 'grpc: { port: 50051 }', 'grpc: { port: 50052 }', /a probe asks at port 50052/],
  ['templates/_pod.tpl', '1000 | add 20', '1000 | add 2', /is given 12 s to stop, and needs 18 s/],
  ['templates/_pod.tpl', 'runAsNonRoot:', 'runAsNoRoot:', /runAsNoRoot is not a field of it/],
  ['templates/ingress.yaml', 'port: { name: {{ .port }} }', 'port: { name: web }', /no Service chat with a port web/],
  ['templates/network-policies.yaml', '{ port: admin }', '{ port: metrics }', /its pods have no port metrics/],
  ['templates/settings.yaml', 'MIGRATE_ON_START', 'MIGRATE_AT_START', /MIGRATE_AT_START is no setting of the service/],
  ['values.yaml', 'INGEST_REPLICAS: 3', 'INGEST_REPLICA: 3', /INGEST_REPLICA is no setting of the service/],
  ['values.yaml', 'ALLOW_INSECURE: plaintext', 'ALLOW_INSECURE: guests', /HOST 0\.0\.0\.0 can be reached/],
])('in %s %s, become %s, is found', async (file, text, other, fault) => {
  expect(await checkChart(await changed(file, text, other), secrets)).toContainEqual(expect.stringMatching(fault));
});

test('the chart deploys the same as the kustomization, with the servers elsewhere', async () => {
  const values = ['--values', join(chart, 'ci/kubernetes-values.yaml')];
  const { resources, generated } = await readManifests(path('deploy/kubernetes'));
  const elsewhere = ['namespace.yaml', 'postgres.yaml', 'nats.yaml', 'redis.yaml'];
  const ours = resources
    .filter(({ file }) => !elsewhere.includes(file))
    .filter(({ kind, metadata }) => !(kind === 'NetworkPolicy' && metadata?.name?.startsWith('chat-to-')));
  const deployed = comparable(await readChart(chart, secrets, values));
  expect(Object.keys(deployed).length).toBeGreaterThan(10);
  expect(deployed).toEqual(comparable({ resources: ours, generated }));
});

test('the chart has the version of the service', async () => {
  const { appVersion } = parse(await readFile(join(chart, 'Chart.yaml'), 'utf8'));
  expect(appVersion).toBe(JSON.parse(await readFile(path('package.json'), 'utf8')).version);
});

test('great numbers, fractions and booleans reach the service as they were given', async () => {
  const values = ['--values', join(chart, 'ci/every-option-values.yaml')];
  const { generated } = await readChart(chart, secrets, values);
  const settings = Object.fromEntries(generated.find(({ name }) => name === 'talk-settings')!.data);
  expect(settings).toMatchObject({
    INGEST_MAX_BYTES: '10737418240',
    TRACING_SAMPLE_RATIO: '0.25',
    PRESENCE_GRACE_MS: '0',
    WEB_PAGE: 'false',
  });
});

test('message-writers and relays are deployed if the settings call for them, and metrics are opened if asked for', async () => {
  const names = async (...args: string[]) =>
    (await readChart(chart, secrets, args)).resources.map(({ kind, metadata }) => `${kind} ${metadata?.name}`);
  const direct = await names('--values', join(chart, 'ci/direct-values.yaml'));
  expect(direct.filter((name) => name.startsWith('Deployment'))).toEqual(['Deployment chat']);
  const withWriters = await names('--set', 'settings.EXPORT=none');
  expect(withWriters).toContain('Deployment chat-message-writer');
  expect(withWriters).not.toContain('Deployment chat-relay');
  expect(withWriters).not.toContain('Service chat-metrics');
  expect(await names('--set', 'metrics.enabled=true')).toContain('Service chat-metrics');
});

test.each([
  ['nodes.replica=3', /'\/nodes': additional properties 'replica' not allowed/],
  ['nodes.replicas=three', /'\/nodes\/replicas': got string, want integer/],
  ['nodes.autoscaling.minReplicas=11', /nodes\.autoscaling\.minReplicas: 11 is more than maxReplicas, 10/],
  ['nodes.maxUnavailable=few', /'\/nodes\/maxUnavailable'/],
  ['image.tag=a/b', /'\/image\/tag'/],
  ['secretName=', /'\/secretName'/],
  ['settings.INGEST=jetsream', /'\/settings\/INGEST': value must be one of 'direct', 'jetstream'/],
  ['settings.ingest=direct', /'ingest' does not match/],
  ['settings.HOST=::', /settings\.HOST: the chart sets it itself/],
  ['settings.POSTGRES_DSN=postgres:', /settings\.POSTGRES_DSN: it is secret, so it belongs into the secret/],
  ['ingress.enabled=true', /'\/ingress\/host': minLength/],
  ['ingress.host=https://chat', /'\/ingress\/host': 'https:\/\/chat' does not match/],
  ['networkPolicy.clients=[]', /'\/networkPolicy\/clients'/],
  ['metrics.serviceMonitor.enabled=true', /metrics\.serviceMonitor\.enabled: it needs metrics\.enabled/],
])('the value %s is refused, and named', async (value, says) => {
  expect(await refusal(value)).toMatch(says);
});
