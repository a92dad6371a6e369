#!/usr/bin/env node
// Writes the dashboards of internal/monitoring as JSON for Grafana into a folder; with --check it only compares.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dashboards } from '../../monitoring/dashboards.ts';
import { toGrafana } from './to-grafana.ts';

const { values, positionals } = parseArgs({ options: { check: { type: 'boolean' } }, allowPositionals: true });
const [folder] = positionals;
if (folder === undefined) throw new Error('usage: main.ts [--check] FOLDER');

const titles = Object.fromEntries(dashboards.map(({ uid, title }) => [uid, title]));
const files = new Map(dashboards.map((dashboard) => [`${dashboard.uid}.json`, toGrafana(dashboard, titles)]));
const stale = [
  ...[...files].filter(
    ([name, text]) => !existsSync(join(folder, name)) || readFileSync(join(folder, name), 'utf8') !== text,
  ),
  ...readdirSync(folder)
    .filter((name) => !files.has(name))
    .map((name) => [name, undefined] as const),
];
for (const [name, text] of stale) {
  const path = join(folder, name);
  if (values.check) console.error(`${path} differs from internal/monitoring: run \`make dashboards\``);
  else if (text === undefined) rmSync(path);
  else writeFileSync(path, text);
}
if (values.check && stale.length > 0) process.exitCode = 1;
