import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One file of migrations/, in the format of the tool goose. */
export interface Migration {
  /** The number at the start of the file's name. */
  version: number;
  name: string;
  up: string[];
  down: string[];
}

/** Reads every `<version>_<name>.sql` of a folder, ordered by version. Throws on a file that goose would refuse too. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql'));
  const migrations = await Promise.all(
    names.map(async (name) => {
      const version = Number(/^(\d+)_/.exec(name)?.[1]);
      if (!version) throw new Error(`migration ${name}: its name must start with a number and "_"`);
      return { version, name, ...parseMigration(await readFile(join(folder, name), 'utf8'), name) };
    }),
  );
  migrations.sort((a, b) => a.version - b.version);
  for (const [i, { version, name }] of migrations.entries()) {
    if (migrations[i + 1]?.version === version) throw new Error(`migration ${name}: its version is used twice`);
  }
  return migrations;
}

/**
 * Splits a migration into statements. A statement ends at a line that ends in `;`; everything between `-- +goose StatementBegin` and
 * `StatementEnd` is one statement. Source: https://pressly.github.io/goose/documentation/annotations/
 */
export function parseMigration(text: string, name: string): Pick<Migration, 'up' | 'down'> {
  const statements: { up: string[]; down: string[] } = { up: [], down: [] };
  let direction: 'up' | 'down' | undefined;
  let whole = false;
  let lines: string[] = [];

  const fault = (what: string) => new Error(`migration ${name}: ${what}`);
  const finish = () => {
    const statement = lines.join('\n').trim();
    lines = [];
    if (statement === '') return;
    if (!direction) throw fault('there is a statement before "-- +goose Up"');
    statements[direction].push(statement);
  };

  for (const line of text.split('\n')) {
    const annotation = /^--\s*\+goose\s+(.*?)\s*$/i.exec(line)?.[1]?.toLowerCase();
    if (annotation === undefined) {
      if (!whole && /^\s*--/.test(line)) continue;
      lines.push(line);
      if (!whole && /;\s*(--.*)?$/.test(line)) finish();
    } else if (annotation === 'statementend') {
      if (!whole) throw fault('StatementEnd without StatementBegin');
      finish();
      whole = false;
    } else if (whole) {
      throw fault('StatementBegin without StatementEnd');
    } else if (annotation === 'statementbegin') {
      whole = true;
    } else if (annotation === 'up' || annotation === 'down') {
      if (lines.join('').trim() !== '') throw fault('a statement does not end in ";"');
      if (annotation === 'down' && !direction) throw fault('"-- +goose Up" must come before "-- +goose Down"');
      lines = [];
      direction = annotation;
    } else {
      throw fault(`the annotation "+goose ${annotation}" is not supported`);
    }
  }
  if (whole) throw fault('StatementBegin without StatementEnd');
  if (lines.join('').trim() !== '') throw fault('a statement does not end in ";"');
  if (!direction) throw fault('"-- +goose Up" is missing');
  return statements;
}
