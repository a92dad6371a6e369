import { readFile } from 'node:fs/promises';

/** Reads a file of certificate authorities in PEM; undefined without a file. Throws an error that names the setting. */
export async function readCa(setting: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Error(`cannot read ${setting}: ${(cause as Error).message}`, { cause });
  }
}
