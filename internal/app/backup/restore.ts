import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { DatabaseConfig } from '../../config/groups/database-config.ts';
import type { BackupTable } from '../../repository/postgres/backup/backup-tables.ts';
import { type Restored, restoreContents } from '../../repository/postgres/backup/restore-contents.ts';
import { readMigrations } from '../../repository/postgres/migrations/goose.ts';
import { checkKnown } from '../../repository/postgres/migrations/schema-version.ts';
import { authSchema, migrationsFolder, wholeSchema } from '../database/open-database.ts';
import { useDatabase } from '../database/use-database.ts';
import type { BackupOptions } from './back-up.ts';
import { fileOf, type Manifest, readManifest, verifyFiles } from './manifest.ts';
import { ProgressMeter } from './progress-meter.ts';

export interface RestoreOptions extends BackupOptions {
  /** Whether a database that is not empty is replaced. */
  replace: boolean;
}

/** Brings the backup of a folder into the configured database. Looks at every checksum before it connects to the database. */
export async function restore(
  config: Pick<DatabaseConfig, 'dsn' | 'dataDir'>,
  from: string,
  { replace, onProgress, signal }: RestoreOptions,
): Promise<Restored & { manifest: Manifest }> {
  if (!existsSync(from)) throw new Error(`there is no folder ${from}`);
  try {
    const manifest = await readManifest(from);
    const migrations = await readMigrations(migrationsFolder);
    const known = migrations.map(({ version }) => version);
    checkKnown(manifest.migrations, known, `the backup ${from}`);
    onProgress(`checking the files of ${manifest.tables.length} tables`);
    await verifyFiles(from, manifest, signal);
    const hasChats = manifest.tables.some(({ name }) => name === 'chats');
    const { migrations: only } = hasChats ? wholeSchema : authSchema;
    const open = (table: BackupTable) => {
      const { bytes } = manifest.tables.find(({ name }) => name === table)!;
      return openRows(join(from, fileOf(table)), new ProgressMeter(table, onProgress, bytes));
    };
    const options = { contents: manifest, migrations, only, replace, signal, open, onProgress };
    const restored = await useDatabase(config, (dsn) => restoreContents({ dsn, ...options }));
    return { ...restored, manifest };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function openRows(path: string, meter: ProgressMeter): Readable {
  const count = new PassThrough().on('data', (chunk: Buffer) => meter.add(chunk.length));
  // When one of them fails, all are destroyed with its error, which reaches the reader of the last.
  return pipeline(createReadStream(path), count, createGunzip(), () => meter[Symbol.dispose]());
}
