import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withFileLock } from './file-lock.ts';

/** A session, stored between runs. */
export interface StoredSession {
  userId: string;
  name: string;
  accessToken: string;
  /** ISO 8601. */
  expiresAt: string;
  /** Valid for one use. */
  refreshToken: string;
  /** Lets a refresh whose answer was lost be repeated. */
  retryKey?: string;
}

type Sessions = Record<string, StoredSession>;

/**
 * Stores sessions in a file that only its owner can read: one for each transport and address. Several programs may use the file at the same
 * time. Changes are serialized and atomic, also when a program is killed.
 */
export class SessionStore {
  readonly #file: string;
  readonly #warn: (line: string) => void;

  constructor(file: string, warn: (line: string) => void) {
    this.#file = file;
    this.#warn = warn;
  }

  async find(key: string): Promise<StoredSession | undefined> {
    return (await this.#read())[key];
  }

  /** Replaces the session by what `change` returns; undefined removes it. Other programs cannot change sessions until then. */
  async change(
    key: string,
    change: (session: StoredSession | undefined) => Promise<StoredSession | undefined>,
  ): Promise<StoredSession | undefined> {
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    return withFileLock(`${this.#file}.lock`, async () => {
      const { [key]: present, ...others } = await this.#read();
      const changed = await change(present);
      if (changed !== present) await this.#write(changed ? { ...others, [key]: changed } : others);
      return changed;
    });
  }

  async #read(): Promise<Sessions> {
    let text: string;
    try {
      text = await readFile(this.#file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw new Error(`cannot read ${this.#file} (${(error as NodeJS.ErrnoException).code})`, { cause: error });
    }
    await this.#closeToOthers();
    try {
      return (JSON.parse(text) as { sessions: Sessions }).sessions ?? {};
    } catch (cause) {
      throw new Error(`${this.#file} is damaged: remove it and sign in again`, { cause });
    }
  }

  async #closeToOthers(): Promise<void> {
    const { mode } = await stat(this.#file);
    if ((mode & 0o077) === 0) return;
    this.#warn(
      `${this.#file} could be read by others; it is closed to them now. If they may have read it: chat logout`,
    );
    await chmod(this.#file, 0o600);
  }

  async #write(sessions: Sessions): Promise<void> {
    const next = `${this.#file}.${process.pid}`;
    await rm(next, { force: true });
    // `wx` refuses to write through a link that another user may have put there.
    await writeFile(next, `${JSON.stringify({ version: 1, sessions }, null, 2)}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    });
    await rename(next, this.#file);
  }
}
