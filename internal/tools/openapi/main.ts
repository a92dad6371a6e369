#!/usr/bin/env node
// Usage: buf build -o - | node cmd/openapi/main.ts FILE
import { readFileSync, writeFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { describeService } from './describe-service.ts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('name the file to write');
const { version, license } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
const document = describeService(await buffer(process.stdin), { version, license });
writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
