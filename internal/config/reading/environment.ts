import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from './env-reader.ts';

/** Variables by name. */
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Returns the environment together with the variables in the file that CONFIG_FILE names; those of the environment override the file's. Throws
 * ConfigError if the file cannot be read.
 */
export function readEnvironment(environment: Env): Env {
  const file = environment.CONFIG_FILE?.trim();
  if (!file) return environment;
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError([`CONFIG_FILE: cannot read ${file} (${code})`]);
  }
  return { ...parseEnv(content), ...environment };
}
