import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { AdminClientOptions } from '../client/admin-client.ts';
import type { Subcommand, SubcommandContext } from '../subcommands/subcommand.ts';
import { findSubcommand } from './find-subcommand.ts';
import { usage, usageOf } from './usage.ts';

export type Args =
  | {
      kind: 'run';
      subcommand: Subcommand;
      client: AdminClientOptions;
      json: boolean;
      values: SubcommandContext['values'];
    }
  | { kind: 'help'; text: string }
  /** `usage` is the text that explains the options. */
  | { kind: 'error'; message: string; usage: string };

const common = {
  url: { type: 'string' },
  'token-file': { type: 'string' },
  'tls-ca': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Options of the sub-commands of the console. */
const consoleOptions = { worker: { type: 'string' } } as const;

type CommonValues = {
  [Name in keyof typeof common]?: (typeof common)[Name]['type'] extends 'string' ? string : boolean;
};

/** Reads the command line, without the program's own name, and the files that it names. */
export function readArgs([name, ...rest]: readonly string[], env: Readonly<Record<string, string | undefined>>): Args {
  if (name === undefined || name === '--help' || name === '-h') return { kind: 'help', text: usage };
  const subcommand = findSubcommand(name);
  if (!subcommand) return { kind: 'error', message: `there is no sub-command ${JSON.stringify(name)}`, usage };
  try {
    const ofConsole = subcommand.console ? consoleOptions : {};
    const { values } = parseArgs({ args: rest, options: { ...common, ...ofConsole, ...subcommand.options } });
    const given = values as CommonValues;
    if (given.help) return { kind: 'help', text: usageOf(subcommand) };
    const worker = subcommand.console ? (values as { worker?: string }).worker : undefined;
    const client = { ...readClient(given, env, subcommand), worker };
    return { kind: 'run', subcommand, client, json: given.json ?? false, values };
  } catch (error) {
    // Drops Node's advice on arguments that begin with a dash.
    const [message = ''] = (error as Error).message.split(/\. (?=To |Did )/);
    return {
      kind: 'error',
      message: message.replace(/^[UO](?=nknown|nexpected|ption)/, (letter) => letter.toLowerCase()),
      usage: usageOf(subcommand),
    };
  }
}

function readClient(
  values: CommonValues,
  env: Readonly<Record<string, string | undefined>>,
  { console }: Subcommand,
): AdminClientOptions {
  const url = URL.parse(values.url ?? 'http://127.0.0.1:9464');
  if (!url || !/^https?:$/.test(url.protocol))
    throw new Error('--url must be a URL that begins with http:// or https://');
  const { 'tls-cert': cert, 'tls-key': key, 'tls-ca': ca, 'token-file': tokenFile } = values;
  if ((cert === undefined) !== (key === undefined)) throw new Error('--tls-cert and --tls-key must be given together');
  if ((ca || cert) && url.protocol !== 'https:')
    throw new Error('--tls-ca and --tls-cert need a --url that begins with https://');
  const token =
    tokenFile === undefined
      ? env[console ? 'ADMIN_ACCESS_TOKEN' : 'ADMIN_TOKEN']
      : String(read('--token-file', tokenFile));
  return {
    url,
    token: token?.trim() || undefined,
    tls: { ca: read('--tls-ca', ca), cert: read('--tls-cert', cert), key: read('--tls-key', key) },
  };
}

function read(option: string, file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Error(`${option}: cannot read ${file} (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}
