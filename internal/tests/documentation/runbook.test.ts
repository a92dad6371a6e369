import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { dashboards, panelsOf } from '../../monitoring/dashboards.ts';
import { root } from './markdown-page.ts';

interface Alert {
  alert: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook_url: string; dashboard: string };
}

const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');

const rules = parse(read('deploy/prometheus/rules/alerts.yml')) as { groups: { rules: Alert[] }[] };
const alerts = rules.groups.flatMap((group) => group.rules);
const sections = new Map(
  read('docs/runbook.md')
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.split('\n')[0]!, section.split(/^## /m)[0]!.replace(/\s+/g, ' ')]),
);

test('docs/runbook.md has a section for each alert, and no other', () => {
  expect(alerts.length).toBeGreaterThan(20);
  expect([...sections.keys()].toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
});

test.each(alerts)(
  '$alert leads to its section, which has its severity, meaning, dashboard and remedy',
  ({ alert, labels, annotations }) => {
    expect(annotations.runbook_url).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
    expect(['page', 'ticket']).toContain(labels.severity);
    const dashboard = dashboards.find(({ uid }) => annotations.dashboard === `/d/${uid}`);
    const section = sections.get(alert)!;
    expect(section).toContain(`**Severity**: ${labels.severity}.`);
    for (const part of ['Meaning', 'Look', 'Do']) expect(section).toMatch(new RegExp(`- \\*\\*${part}\\*\\*: .{20,}`));
    expect(section).toContain(`dashboard *${dashboard?.title}*`);
  },
);

test('each alert has a test of promtool that it fires, under its name', () => {
  const { tests } = parse(read('deploy/prometheus/tests/alerts.yml')) as { tests: { name: string }[] };
  const names = new Set(tests.map(({ name }) => name));
  expect(alerts.map(({ alert }) => alert).filter((name) => !names.has(name))).toEqual([]);
});

/** Alerts that no test causes on a real service, with the reason. */
const onlyByPromtool: Readonly<Record<string, string>> = {
  ChatMemoryGrows: 'it compares hours',
  ChatFilesNearLimit: 'it needs thousands of connections',
  ChatOutboxLarge: 'it needs slow readers of hundreds of megabytes',
  ChatExportLate: 'it needs an export that is late by more than a minute',
};

test('each alert fires on a real service in a test, or there is a reason why not', () => {
  const source = read('internal/tests/operations/alerts.slow.test.ts');
  const staged = alerts.map(({ alert }) => alert).filter((name) => source.includes(`'${name}'`));
  expect([...staged, ...Object.keys(onlyByPromtool)].toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
});

test('panels that the pages name in quotes exist on the dashboards', () => {
  const titles = new Set(dashboards.flatMap((dashboard) => panelsOf(dashboard).map(({ title }) => title)));
  const named = ['docs/runbook.md', 'docs/monitoring.md'].flatMap((page) =>
    [
      ...read(page)
        .replace(/\s+/g, ' ')
        .matchAll(/"([A-Z][^"]+)"/g),
    ].map(([, title = '']) => title),
  );
  expect(named.length).toBeGreaterThan(40);
  // Reasons of /readyz are in quotes, too.
  const others = new Set(['PostgreSQL is away']);
  expect(named.filter((title) => !titles.has(title) && !others.has(title))).toEqual([]);
});

test('docs/monitoring.md lists each dashboard with its uid and the questions that it answers', () => {
  const rows = [...read('docs/monitoring.md').matchAll(/^\| (Chat: .+) \| `(.+)` \| (.+) \|$/gm)];
  expect(rows.map(([, title, uid, answers]) => ({ title, uid, answers }))).toEqual(
    dashboards.map(({ title, uid, description }) => ({ title, uid, answers: description })),
  );
});
