import { existsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Query } from '../client/admin-client.ts';
import type { SubcommandContext } from './subcommand.ts';

/** The option of sub-commands that write a file. */
export const outputOption = {
  options: { output: { type: 'string' } },
  help: '  --output FILE      where to write it (default: the name that the service gives it, in this folder)',
} as const;

/** Writes what the service sends into a new file, which only its owner can read: it holds what the service's memory does. */
export async function download(
  path: string,
  query: Query,
  { client, values, print, progress, signal }: SubcommandContext,
): Promise<void> {
  const { output } = values;
  // Before the service works for nothing.
  if (typeof output === 'string' && existsSync(output)) throw new Error(`${output} exists already`);
  const answer = await client.ask('POST', path, query, signal);
  const file = String(output ?? nameIn(answer.headers['content-disposition']));
  const handle = await open(file, 'wx', 0o600);
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      progress(`${toMebibytes(bytes)} MiB …`);
      done(null, chunk);
    },
  });
  try {
    await pipeline(answer, counter, handle.createWriteStream(), { signal });
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
  print(`wrote ${file} (${toMebibytes(bytes)} MiB)`, { file, bytes });
}

function nameIn(disposition = ''): string {
  return /filename="?([\w.-]+)"?/.exec(disposition)?.[1] ?? 'download';
}

function toMebibytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}
