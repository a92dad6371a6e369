import { createHash } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type { DatabaseConfig } from '../../config/groups/database-config.ts';
import type { BackupTable } from '../../repository/postgres/backup/backup-tables.ts';
import { readContents } from '../../repository/postgres/backup/read-contents.ts';
import { readMigrations } from '../../repository/postgres/migrations/goose.ts';
import { migrationsFolder } from '../database/open-database.ts';
import { useDatabase } from '../database/use-database.ts';
import { fileOf, type Manifest, type RowsFile, writeManifest } from './manifest.ts';
import { ProgressMeter } from './progress-meter.ts';

export interface BackupOptions {
  /** Takes a line now and then. */
  onProgress(line: string): void;
  signal: AbortSignal;
}

/**
 * Writes everything that the configured database holds at one moment into a new folder. The folder gets its name when all of it is on the disk, so a
 * backup that was interrupted is never taken for one. Throws if the folder exists.
 */
export async function backUp(
  config: Pick<DatabaseConfig, 'dsn' | 'dataDir'>,
  to: string,
  { onProgress, signal }: BackupOptions,
): Promise<Manifest> {
  const folder = resolve(to);
  if (existsSync(folder)) throw new Error(`${to} exists already: give the name of a new folder`);
  if (config.dsn === undefined && !existsSync(join(config.dataDir, 'postgres')))
    throw new Error(`there is no database in ${config.dataDir}`);
  await mkdir(dirname(folder), { recursive: true });
  const incomplete = await mkdtemp(`${folder}.incomplete-`);
  try {
    const known = (await readMigrations(migrationsFolder)).map(({ version }) => version);
    const files = new Map<BackupTable, RowsFile>();
    const save = async (table: BackupTable, rows: Readable) => {
      files.set(table, await writeRows(incomplete, table, rows, onProgress));
    };
    const contents = await useDatabase(config, (dsn) => readContents({ dsn, known, signal, save }));
    const manifest = await writeManifest(incomplete, contents, files);
    await syncFolder(incomplete);
    signal.throwIfAborted();
    await rename(incomplete, folder);
    await syncFolder(dirname(folder));
    return manifest;
  } catch (error) {
    await rm(incomplete, { recursive: true, force: true });
    signal.throwIfAborted();
    throw error;
  }
}

async function writeRows(
  folder: string,
  table: BackupTable,
  rows: Readable,
  onProgress: (line: string) => void,
): Promise<RowsFile> {
  const hash = createHash('sha256');
  using meter = new ProgressMeter(table, onProgress);
  // The quickest level: a backup shares the machine with the service.
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  const file = createWriteStream(join(folder, fileOf(table)), { mode: 0o600, flags: 'wx', flush: true });
  await pipeline(
    rows,
    gzip,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        meter.add(chunk.length);
        yield chunk;
      }
    },
    file,
  );
  return { bytes: file.bytesWritten, sha256: hash.digest('hex') };
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}
