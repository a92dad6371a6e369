import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { checkManifests } from './check-manifests.ts';

const folder = fileURLToPath(new URL('../../../deploy/kubernetes', import.meta.url));

/** A copy in which some text of one file is other text. */
async function broken(file: string, text: string | RegExp, other: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'chat-manifests-'));
  onTestFinished(() => rm(copy, { recursive: true }));
  await cp(folder, copy, { recursive: true });
  const path = join(copy, file);
  const before = await readFile(path, 'utf8');
  const after = before.replace(text, other);
  expect(after).not.toBe(before);
  await writeFile(path, after);
  return copy;
}

test('the manifests of this project are right', async () => {
  expect(await checkManifests(folder)).toEqual([]);
});

test.each([
  ['chat.yaml', 'matchLabels:', 'matchLables:', /^chat\.yaml: Deployment chat: .*matchLables/],
  ['chat.yaml', 'readOnlyRootFilesystem', 'readOnlyRootFileSystem', /readOnlyRootFileSystem is not a field of it/],
  ['chat-scaling.yaml', 'maxReplicas: 10', 'maxReplicas: ten', /maxReplicas must be integer/],
  ['redis.yaml', 'apiVersion: apps/v1', 'apiVersion: apps/v2', /apps\/v2 has no such kind/],
  ['redis.yaml', /kind: Service\n/, '', /^redis\.yaml: a document without apiVersion and kind/],
  ['relay.yaml', '  replicas: 2', '  replicas: 2\n  replicas: 3', /^relay\.yaml: Map keys must be unique/],
])('in %s %s, become %s, is found by the schema', async (file, text, other, fault) => {
  expect(await checkManifests(await broken(file, text, other))).toContainEqual(expect.stringMatching(fault));
});

test.each([
  ['kustomization.yaml', '  - redis.yaml\n', '', /^redis\.yaml: kustomization\.yaml does not name it/],
  ['kustomization.yaml', 'redis.yaml', 'valkey.yaml', /valkey\.yaml is missing/],
  ['kustomization.yaml', 'images:', 'image:', /image is not a field/],
  ['kustomization.yaml', 'name: chat-service', 'name: chat', /nothing uses the image chat$/],
  ['kustomization.yaml', 'name: passwords', 'name: secrets', /container postgres: there is no Secret passwords/],
  ['passwords.env.example', /NATS_PASSWORD.*\n/, '', /container nats: Secret passwords has no NATS_PASSWORD/],
])('in %s %s, become %s, is found by what the folder has', async (file, text, other, fault) => {
  expect(await checkManifests(await broken(file, text, other))).toContainEqual(expect.stringMatching(fault));
});

test.each([
  ['chat.yaml', 'targetPort: grpc', 'targetPort: rpc', /Service chat: its pods have no port rpc/],
  ['chat.yaml', 'grpc: { port: 50051 }', 'grpc: { port: 50052 }', /a probe asks at port 50052/],
  [
    'chat.yaml',
    /selector: \{ .*: chat \}/,
    'selector: { app.kubernetes.io/name: chats }',
    /Service chat: selects no pods/,
  ],
  [
    'chat.yaml',
    /(template:\n.*\n.*name: )chat/,
    '$1chats',
    /Deployment chat: its selector does not select its own pods/,
  ],
  ['chat-scaling.yaml', 'name: chat }\n  minReplicas', 'name: chats }\n  minReplicas', /there is no Deployment chats/],
  ['chat.yaml', '  strategy:', '  replicas: 3\n  strategy:', /Deployment chat says itself how many it has/],
  ['ingress.yaml', 'port: { name: grpc }', 'port: { name: https }', /there is no Service chat with a port https/],
  ['network-policies.yaml', '- { port: postgres }', '- { port: 5433 }', /NetworkPolicy .*: its pods have no port 5433/],
  ['network-policies.yaml', 'message-writer, relay', 'message-writers, relay', /lets in no pods by .*message-writers/],
  ['nats.yaml', 'serviceName: nats-servers', 'serviceName: nats-server', /there is no Service nats-server$/],
  ['nats.yaml', '{ name: run, mountPath', '{ name: pid, mountPath', /container nats: there is no volume pid/],
  ['nats.yaml', 'configMap: { name: nats }', 'configMap: { name: nuts }', /volume config: there is no ConfigMap nuts/],
  ['postgres.yaml', 'image: postgres:18-alpine', 'image: postgres', /image postgres has no version/],
  ['relay.yaml', 'secretRef: { name: chat-secrets }', 'secretRef: { name: secrets }', /there is no Secret secrets/],
])('in %s %s, become %s, is found by what is named', async (file, text, other, fault) => {
  expect(await checkManifests(await broken(file, text, other))).toContainEqual(expect.stringMatching(fault));
});

test.each([
  ['settings.env', 'INGEST=', 'INJEST=', /INJEST is no setting of the service/],
  ['settings.env', 'EXPORT_REPLICAS=3', 'EXPORT_REPLICAS=three', /EXPORT_REPLICAS must be a whole number/],
  ['settings.env', 'ALLOW_INSECURE=plaintext', '', /HOST 0\.0\.0\.0 can be reached from other machines without TLS/],
  [
    'settings.env',
    'INSECURE=plaintext',
    'INSECURE=plaintext,default-password',
    /the example of a password is taken for one/,
  ],
  ['settings.env', 'DRAIN_TIMEOUT_MS=10000', 'DRAIN_TIMEOUT_MS=60000', /given 30 s to stop, and needs 68 s/],
  ['chat.yaml', 'value: grpc,gateway,auth', 'value: http', /ROLES must be some of/],
  ['secrets.env.example', /BUS_URL=.*/, '', /INGEST=jetstream needs NATS_URL/],
])('in %s %s, become %s, is found by the settings', async (file, text, other, fault) => {
  expect(await checkManifests(await broken(file, text, other))).toContainEqual(expect.stringMatching(fault));
});
