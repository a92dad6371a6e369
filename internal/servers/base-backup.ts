import { chmod, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PostgresProcess } from './postgres-process.ts';

/** Copies a running server's data by its low-level interface for backups, with the log that makes the copy consistent. `to` is the new data folder. */
export async function copyData(server: PostgresProcess, to: string): Promise<void> {
  const client = await server.connect();
  try {
    await client.query(`select pg_backup_start('copy', fast => true)`);
    const notCopied = /^(postmaster\.(pid|opts)$|(standby|recovery)\.signal$|pg_wal\/)/;
    await copyFolder(server.dataFolder, to, (path) => !notCopied.test(path));
    const { rows } = await client.query<{ labelfile: string }>(
      'select labelfile from pg_backup_stop(wait_for_archive => false)',
    );
    await writeFile(join(to, 'backup_label'), rows[0]!.labelfile);
    await copyFolder(join(server.dataFolder, 'pg_wal'), join(to, 'pg_wal'));
  } finally {
    await client.end();
  }
}

/** Copies the files that `wanted` selects by their path in the folder, and all folders. Files may disappear meanwhile. */
export async function copyFolder(
  from: string,
  to: string,
  wanted: (path: string) => boolean = () => true,
): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await mkdir(to, { recursive: true, mode: 0o700 });
  await chmod(to, 0o700);
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(from.length + 1);
    if (entry.isDirectory()) await mkdir(join(to, path), { recursive: true, mode: 0o700 });
    else if (wanted(path)) await copyFile(join(from, path), join(to, path)).catch(ignoreMissing);
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
