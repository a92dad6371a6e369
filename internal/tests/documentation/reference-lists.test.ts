import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reloadable } from '../../config/live/reloadable.ts';
import { settingNames } from '../../config/setting-names.ts';
import { grpcCodes, httpStatusOf } from '../../converter/status.ts';
import { violationKinds } from '../../verify/checker/violation.ts';
import { root } from './markdown-page.ts';

interface Descriptors {
  file: { name: string; messageType: { name: string; field: { name: string; oneofIndex?: number }[] }[] }[];
}

const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');

const { file } = JSON.parse(read('pkg/api/descriptors.json')) as Descriptors;
const messages = file.find(({ name }) => name === 'chat/v1/chat.proto')!.messageType;

/** The names of the cases of a message's oneof. */
function choicesOf(message: string): string[] {
  const { field } = messages.find(({ name }) => name === message)!;
  return field.filter(({ oneofIndex }) => oneofIndex !== undefined).map(({ name }) => name);
}

/** The names in backticks in the first column of the table below a heading. */
function firstColumn(page: string, heading: string): string[] {
  const table = page.slice(page.indexOf(`\n| ${heading} |`) + 1).split('\n\n')[0]!;
  const rows = table.split('\n').slice(2);
  return rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name));
}

test.each(['Command', 'Event'])('docs/streams.md lists each %s of the contract, and no other', (name) => {
  expect(firstColumn(read('docs/streams.md'), name).sort()).toEqual(choicesOf(name).sort());
});

test('docs/errors.md lists each code with its gRPC number and HTTP status', () => {
  const rows = [...read('docs/errors.md').matchAll(/^\| ([A-Z_]+) \| (\d+) \| (\d+) \|$/gm)];
  const expected = Object.entries(grpcCodes).map(([code, number]) => [
    code,
    String(number),
    String(httpStatusOf(number)),
  ]);
  expect(rows.map((row) => row.slice(1, 4))).toEqual(expected);
});

test('docs/verify.md lists each kind of violation', () => {
  const named = [...read('docs/verify.md').matchAll(/^\| [\d, ]+ \| .* \| (`.*`) \|$/gm)].flatMap(([, kinds = '']) =>
    kinds.split(', ').map((kind) => kind.replaceAll('`', '')),
  );
  expect([...new Set(named)].sort()).toEqual(Object.keys(violationKinds).sort());
});

test('docs/settings.md says of each setting when a new value applies', () => {
  const table = read('docs/settings.md').split('| Settings | A new value applies |')[1]!.split('\n\n')[0]!;
  const listed = [...table.matchAll(/^\| (`.*`) \| (.*) \|$/gm)].flatMap(([, names = '', applies = '']) =>
    [...names.matchAll(/`([A-Z_0-9]+)`/g)].map(([, name = '']) => [name, applies]),
  );
  const expected = [...settingNames()].map((name) => [
    name,
    `to ${(reloadable as Record<string, string>)[name] ?? ''}`.replace(/^to $/, 'after a restart'),
  ]);
  expect(listed.toSorted()).toEqual(expected.toSorted());
});
