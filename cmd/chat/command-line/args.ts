import { parseArgs } from 'node:util';
import type { ServiceOptions } from '../service/service-options.ts';
import { findSubcommand } from '../subcommands/index.ts';
import type { Subcommand, SubcommandOptions } from '../subcommands/subcommand.ts';
import { plainLine } from '../text/plain-text.ts';
import { usage, usageOfSubcommand } from './usage.ts';

/** The options of the interactive program. */
export interface ChatOptions extends ServiceOptions {
  /** A guest's name. Absent: use the stored session, or ask for a name. */
  user: string | undefined;
  /** The room to start in. */
  room: string;
}

export type Args =
  | { kind: 'run'; options: ChatOptions }
  | { kind: 'subcommand'; subcommand: Subcommand; options: SubcommandOptions }
  | { kind: 'help'; text: string }
  /** `usage` is the text that explains the options. */
  | { kind: 'error'; message: string; usage: string };

const common = {
  addr: { type: 'string' },
  transport: { type: 'string' },
  tls: { type: 'boolean' },
  'tls-ca': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  session: { type: 'string' },
  user: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Env = Readonly<Record<string, string | undefined>>;

/** Reads the command line, without the program's own name. */
export function readArgs(argv: readonly string[], env: Env): Args {
  const subcommand = findSubcommand(argv[0]);
  const rest = subcommand ? argv.slice(1) : argv;
  const help = subcommand ? usageOfSubcommand(subcommand) : usage;
  try {
    return subcommand ? readSubcommand(subcommand, rest, env) : readInteractive(rest, env);
  } catch (error) {
    // Drops Node's advice on arguments that begin with a dash.
    const [message = ''] = (error as Error).message.split(/\. (?=To |Did )/);
    return { kind: 'error', message: plainLine(message).replace(/^U/, 'u').replace(/^O/, 'o'), usage: help };
  }
}

function readInteractive(argv: readonly string[], env: Env): Args {
  const { values } = parseArgs({ args: [...argv], options: { ...common, room: { type: 'string' } } });
  if (values.help) return { kind: 'help', text: usage };
  const options = { ...readService(values, env), user: values.user || undefined, room: values.room || 'global' };
  return { kind: 'run', options };
}

function readSubcommand(subcommand: Subcommand, argv: readonly string[], env: Env): Args {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { ...common, json: { type: 'boolean' }, ...subcommand.options },
    allowPositionals: true,
  });
  if (values.help) return { kind: 'help', text: usageOfSubcommand(subcommand) };
  const { min, max } = subcommand.positionals;
  if (positionals.length < min) throw new Error(`${subcommand.name} needs ${subcommand.parameters}`);
  if (positionals.length > max) throw new Error(`unexpected argument '${positionals[max]}'`);
  const options = {
    ...readService(values, env),
    user: values.user || undefined,
    json: values.json ?? false,
    positionals,
    values: values as SubcommandOptions['values'],
  };
  return { kind: 'subcommand', subcommand, options };
}

interface ServiceValues {
  addr?: string;
  transport?: string;
  tls?: boolean;
  'tls-ca'?: string;
  'tls-cert'?: string;
  'tls-key'?: string;
  session?: string;
}

function readService(values: ServiceValues, env: Env): ServiceOptions {
  const transport = values.transport ?? (env.CHAT_TRANSPORT || 'grpc');
  if (transport !== 'grpc' && transport !== 'ws') {
    throw new Error(`the transport must be grpc or ws, not ${JSON.stringify(plainLine(transport))}`);
  }
  const address = values.addr ?? (env.CHAT_ADDR || (transport === 'grpc' ? '127.0.0.1:50051' : '127.0.0.1:8080'));
  if (!isAddress(address) && !(transport === 'ws' && isHttpUrl(address))) {
    const form = transport === 'ws' ? 'host:port or an http(s) URL' : 'host:port';
    throw new Error(`the address must be ${form}, not ${JSON.stringify(plainLine(address))}`);
  }
  const { 'tls-ca': ca, 'tls-cert': cert, 'tls-key': key } = values;
  if ((cert === undefined) !== (key === undefined)) throw new Error('--tls-cert and --tls-key must be given together');
  if (cert !== undefined && transport === 'ws') throw new Error('--tls-cert is for gRPC only');
  const tls = values.tls || ca || cert ? { ca, cert, key } : undefined;
  const sessionKey = keyOf(transport, address, tls !== undefined);
  return {
    transport,
    address,
    tls,
    sessionKey,
    sessionFile: values.session || env.CHAT_SESSION || defaultSessionFile(env),
  };
}

function keyOf(transport: 'grpc' | 'ws', address: string, tls: boolean): string {
  const url = URL.parse(address);
  if (url && isHttpUrl(address)) return `${url.protocol.replace('ws', 'http')}//${url.host}`;
  const scheme = transport === 'grpc' ? 'grpc' : 'http';
  return `${scheme}${tls ? 's' : ''}://${address}`;
}

function defaultSessionFile(env: Env): string {
  return `${env.XDG_CONFIG_HOME || `${env.HOME || '.'}/.config`}/chat-service/session.json`;
}

function isHttpUrl(address: string): boolean {
  return ['http:', 'https:', 'ws:', 'wss:'].includes(URL.parse(address)?.protocol ?? '');
}

function isAddress(address: string): boolean {
  const [, port] = /^(?:[^\s:[\]/]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(address) ?? [];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}
