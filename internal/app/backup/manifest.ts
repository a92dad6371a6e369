import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BackupTable } from '../../repository/postgres/backup/backup-tables.ts';
import type { DatabaseContents, TableContents } from '../../repository/postgres/backup/database-contents.ts';

/** The number of this layout: a program refuses a backup with another one. */
const formatVersion = 1;
const manifestFile = 'manifest.json';
/** The manifest's own checksum, in the form of the program sha256sum. */
const checksumFile = 'manifest.json.sha256';

/** What is known of the file with the rows of a table. */
export interface RowsFile {
  bytes: number;
  /** In hexadecimal. */
  sha256: string;
}

/** Describes a backup, in its file `manifest.json`. */
export interface Manifest extends DatabaseContents {
  formatVersion: number;
  tables: (TableContents & RowsFile)[];
}

/** The name of the file with the rows of a table. */
export function fileOf(table: BackupTable): string {
  return `${table}.copy.gz`;
}

/** Writes the manifest and its checksum into the folder of a backup. */
export async function writeManifest(
  folder: string,
  contents: DatabaseContents,
  files: ReadonlyMap<BackupTable, RowsFile>,
): Promise<Manifest> {
  const tables = contents.tables.map((table) => ({ ...table, ...files.get(table.name)! }));
  const manifest = { formatVersion, ...contents, tables };
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  const options = { mode: 0o600, flag: 'wx', flush: true };
  await writeFile(join(folder, manifestFile), text, options);
  await writeFile(join(folder, checksumFile), `${hashOf(text)}  ${manifestFile}\n`, options);
  return manifest;
}

/** Reads a backup's manifest. Throws an error that names the fault, also if the format is not this program's. */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await read(folder, manifestFile);
  const expected = (await read(folder, checksumFile)).split(' ', 1)[0];
  if (hashOf(text) !== expected) throw damaged(folder, manifestFile);
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.formatVersion === formatVersion) return manifest;
  throw new Error(
    `the backup ${folder} has the format ${manifest.formatVersion}, and this program reads ${formatVersion}: use the release that made it`,
  );
}

/** Compares every file of a backup with its checksum. Throws an error that names the first file that differs. */
export async function verifyFiles(folder: string, { tables }: Manifest, signal: AbortSignal): Promise<void> {
  for (const { name: table, sha256 } of tables) {
    const name = fileOf(table);
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(folder, name)), hash, { signal }).catch((error) => {
      throw explain(error, folder, name);
    });
    if (hash.digest('hex') !== sha256) throw damaged(folder, name);
  }
}

/** A short form of a manifest for programs. */
export function summarize({ takenAt, epoch, migrations, tables }: Manifest) {
  return {
    takenAt,
    epoch,
    migration: migrations.at(-1),
    bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
    rows: Object.fromEntries(tables.map(({ name, rows }) => [name, rows])),
  };
}

async function read(folder: string, name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8').catch((error) => {
    throw explain(error, folder, name);
  });
}

function explain(error: NodeJS.ErrnoException, folder: string, name: string): Error {
  if (error.code !== 'ENOENT') return error;
  return new Error(`${folder} is not a complete backup: it has no file ${name}`, { cause: error });
}

function damaged(folder: string, name: string): Error {
  return new Error(`the backup ${folder} is damaged: the checksum of ${name} does not match; nothing was restored`);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
