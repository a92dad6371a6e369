import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { backUp } from '../../app/backup/back-up.ts';
import type { Manifest } from '../../app/backup/manifest.ts';
import { restore } from '../../app/backup/restore.ts';

const forever = new AbortController().signal;

/** A place for one backup. */
export interface TestBackup {
  /** The folder in which the backup's folder is created. */
  parent: string;
  /** The backup's folder. */
  path: string;
  /** What backups and restores have told. */
  progress: string[];
  /** Backs up the database. */
  save(dsn: string, signal?: AbortSignal): Promise<Manifest>;
  /** Restores the backup into the database. */
  restore(dsn: string, options?: { replace?: boolean }): ReturnType<typeof restore>;
}

/** Creates an empty folder with a place for a backup. It is removed when the test ends. */
export async function createTestBackup(): Promise<TestBackup> {
  const parent = await mkdtemp(join(tmpdir(), 'chat-backup-'));
  onTestFinished(() => rm(parent, { recursive: true }));
  const path = join(parent, 'backup');
  const progress: string[] = [];
  const onProgress = (line: string) => progress.push(line);
  return {
    parent,
    path,
    progress,
    save: (dsn, signal = forever) => backUp({ dsn, dataDir: '' }, path, { onProgress, signal }),
    restore: (dsn, { replace = false } = {}) =>
      restore({ dsn, dataDir: '' }, path, { replace, onProgress, signal: forever }),
  };
}
