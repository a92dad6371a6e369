import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseMigration, readMigrations } from './goose.ts';

describe('a migration', () => {
  test('is split at each line that ends in a semicolon, and comments between statements are left out', () => {
    const text = [
      '-- a comment before anything',
      '-- +goose Up',
      'create table a (',
      "  name text default ';', -- a comment; with a semicolon",
      '  id int',
      ');',
      '-- between',
      'create index a_id on a (id); -- after',
      '',
      '-- +goose Down',
      'drop table a;',
    ].join('\n');

    const { up, down } = parseMigration(text, 'x.sql');

    expect(up.map((statement) => statement.split('\n')[0])).toEqual([
      'create table a (',
      'create index a_id on a (id); -- after',
    ]);
    expect(down).toEqual(['drop table a;']);
  });

  test('keeps a statement between StatementBegin and StatementEnd whole, with its comments', () => {
    const body = [
      'create function f() returns int language plpgsql as $$',
      'begin',
      '  -- one;',
      '  return 1;',
      'end',
      '$$;',
    ];
    const text = ['-- +goose Up', '-- +goose StatementBegin', ...body, '-- +goose StatementEnd', 'select 1;'].join(
      '\n',
    );

    expect(parseMigration(text, 'x.sql').up).toEqual([body.join('\n'), 'select 1;']);
  });

  test('may be written with Windows line ends and any spelling of the annotations', () => {
    const text = '--+goose up\r\nselect 1;\r\n--  +GOOSE DOWN  \r\nselect 2;\r\n';

    expect(parseMigration(text, 'x.sql')).toEqual({ up: ['select 1;'], down: ['select 2;'] });
  });

  test.each([
    ['a statement before Up', 'select 1;\n-- +goose Up', 'before "-- +goose Up"'],
    ['an unfinished statement', '-- +goose Up\nselect 1', 'does not end in ";"'],
    ['an unfinished statement before Down', '-- +goose Up\nselect 1\n-- +goose Down', 'does not end in ";"'],
    ['StatementBegin without an end', '-- +goose Up\n-- +goose StatementBegin\nselect 1;', 'without StatementEnd'],
    ['StatementEnd without a beginning', '-- +goose Up\nselect 1\n-- +goose StatementEnd', 'without StatementBegin'],
    [
      'StatementBegin twice',
      '-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementBegin\nselect 1;\n-- +goose StatementEnd',
      'StatementBegin',
    ],
    [
      'Down within a statement',
      '-- +goose Up\n-- +goose StatementBegin\nselect 1;\n-- +goose Down\n-- +goose StatementEnd',
      'StatementEnd',
    ],
    ['an annotation that changes how it must be run', '-- +goose NO TRANSACTION\n-- +goose Up', 'not supported'],
    ['a file without Up', 'select 1;', '-- +goose Up'],
    ['a file with nothing in it', '', '-- +goose Up'],
    ['Down before Up', '-- +goose Down\nselect 1;\n-- +goose Up\nselect 2;', '-- +goose Up'],
  ])('is refused by name for %s', (_, text, expected) => {
    expect(() => parseMigration(text, '0007_x.sql')).toThrow(expected);
    expect(() => parseMigration(text, '0007_x.sql')).toThrow('0007_x.sql');
  });
});

describe('a folder of migrations', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (...names: string[]) =>
    Promise.all(names.map((name) => writeFile(join(folder, name), '-- +goose Up\nselect 1;\n')));

  test('is read by version as a number, and other files are not looked at', async () => {
    await write('0010_ten.sql', '9_nine.sql', '20260101120000_late.sql');
    await writeFile(join(folder, 'README.md'), 'not a migration');

    const migrations = await readMigrations(folder);

    expect(migrations.map(({ version }) => version)).toEqual([9, 10, 20_260_101_120_000]);
  });

  test.each([['x.sql'], ['0000_zero.sql'], ['0001.sql']])('with a file named %s is refused', async (name) => {
    await write(name);
    await expect(readMigrations(folder)).rejects.toThrow(name);
  });

  test('with the same version twice is refused', async () => {
    await write('0001_a.sql', '1_b.sql');
    await expect(readMigrations(folder)).rejects.toThrow('used twice');
  });
});
