import { parseArgs } from 'node:util';
import type { Deployment } from '../../internal/verify/transports/deployment.ts';
import type { WorkloadOptions } from '../../internal/verify/workload/run-workload.ts';
import { accessToken, account, type TokenSource } from '../../pkg/chat-client/auth/token-source.ts';

export type Args =
  | { kind: 'help' }
  | { kind: 'check'; file: string; json: boolean }
  | {
      kind: 'run';
      deployment: Deployment;
      /** Absent: gRPC in plain text. The files are PEM. */
      tls: TlsFiles | undefined;
      options: WorkloadOptions;
      history: string | undefined;
      json: boolean;
    };

/** The authority to trust instead of the system's, and the client's own certificate. */
export interface TlsFiles {
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
}

/** Parses the command line. Throws an error that says what is wrong with it. */
export function readArgs(argv: readonly string[]): Args {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      addr: { type: 'string', multiple: true },
      http: { type: 'string', multiple: true },
      tls: { type: 'boolean', default: false },
      'tls-ca': { type: 'string' },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      clients: { type: 'string', default: '12' },
      seconds: { type: 'string', default: '30' },
      operations: { type: 'string' },
      pace: { type: 'string', default: '20' },
      seed: { type: 'string' },
      token: { type: 'string', multiple: true, default: [] },
      account: { type: 'string', multiple: true, default: [] },
      faults: { type: 'boolean', default: false },
      'max-delay': { type: 'string', default: '10000' },
      history: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { kind: 'help' };
  const [command, file, ...rest] = positionals;
  if (command === 'check' && file !== undefined && rest.length === 0) return { kind: 'check', file, json: values.json };
  if (command !== undefined) throw new Error(command === 'check' ? 'check needs one FILE' : `unexpected '${command}'`);

  const signIns: TokenSource[] = [...values.token.map(fixedToken), ...values.account.map(toAccount)];
  if (signIns.length === 1) throw new Error('at least two tokens or accounts are needed');
  const deliveryMs = toNumber('--max-delay', values['max-delay']);
  const { http = [], addr = http.length > 0 ? [] : ['127.0.0.1:50051'] } = values;
  const { 'tls-ca': ca, 'tls-cert': cert, 'tls-key': key } = values;
  if ((cert === undefined) !== (key === undefined)) throw new Error('--tls-cert and --tls-key must be given together');
  return {
    kind: 'run',
    deployment: { grpc: addr.map(toAddress), http: http.map(toUrl) },
    tls: values.tls || ca !== undefined || cert !== undefined ? { ca, cert, key } : undefined,
    options: {
      seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : toNumber('--seed', values.seed),
      clients: signIns.length > 0 ? signIns.length - 1 : toNumber('--clients', values.clients, 1),
      durationMs: toNumber('--seconds', values.seconds, 1) * 1_000,
      operations: values.operations === undefined ? undefined : toNumber('--operations', values.operations, 1),
      paceMs: toNumber('--pace', values.pace),
      faultsExpected: values.faults,
      bounds: {
        deliveryMs: values.faults ? Number.MAX_SAFE_INTEGER : deliveryMs,
        revocationMs: 1_000,
      },
      settleMs: values.faults ? 60_000 : 20_000,
      tokens: signIns.length > 0 ? (index) => signIns[index]! : undefined,
    },
    history: values.history,
    json: values.json,
  };
}

function fixedToken(token: string): TokenSource {
  const payload = token.split('.')[1] ?? '';
  let exp: unknown;
  try {
    ({ exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp?: unknown });
  } catch {
    throw new Error('--token is not a JWT');
  }
  const expiresAt = new Date(typeof exp === 'number' ? exp * 1_000 : Date.now() + 3_600_000);
  return accessToken(async () => ({ token, expiresAt }));
}

function toAccount(text: string): TokenSource {
  const [, name, password] = /^([^:]+):(.+)$/s.exec(text) ?? [];
  if (name === undefined || password === undefined) throw new Error('--account must be NAME:PASSWORD');
  return account(name, password);
}

function toAddress(text: string): string {
  if (!/^(?:[^\s:[\]/]+|\[[\da-fA-F:.]+\]):\d{1,5}$/.test(text))
    throw new Error(`--addr must be host:port, not '${text}'`);
  return text;
}

function toUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw new Error(`--http must be an http(s) URL, not '${text}'`);
  return text.replace(/\/+$/, '');
}

function toNumber(name: string, text: string, least = 0): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new Error(`${name} must be a whole number from ${least} on`);
  return value;
}
