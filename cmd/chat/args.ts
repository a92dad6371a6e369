import { parseArgs } from 'node:util';
import { plainLine } from './plain-text.ts';

/** How the program was asked to run. */
export interface ChatOptions {
  /** Absent: to be asked for. */
  user: string | undefined;
  /** `host:port` */
  address: string;
  /** The room to start in. */
  room: string;
  /** Absent: plain text. The files are PEM. */
  tls: { ca: string | undefined; cert: string | undefined; key: string | undefined } | undefined;
}

export type Args = { kind: 'run'; options: ChatOptions } | { kind: 'help' } | { kind: 'error'; message: string };

export const usage = `Usage: chat [--user NAME] [--addr HOST:PORT] [--room NAME] [--tls | --tls-ca FILE]

  --user NAME       who you are; asked for if absent
  --addr HOST:PORT  where the service is (default: $CHAT_ADDR, or 127.0.0.1:50051)
  --room NAME       the room to start in (default: global)
  --tls             the service speaks TLS, with a certificate of an authority that this machine trusts
  --tls-ca FILE     the same, with a certificate of the authority in FILE (PEM)
  --tls-cert FILE   one's own certificate, where the service asks for one; with --tls-key FILE
  --help            print this`;

/** Reads the command line, without the program's own name. */
export function readArgs(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Args {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        user: { type: 'string' },
        addr: { type: 'string' },
        room: { type: 'string' },
        tls: { type: 'boolean' },
        'tls-ca': { type: 'string' },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) return { kind: 'help' };
    const address = values.addr ?? (env.CHAT_ADDR || '127.0.0.1:50051');
    if (!isAddress(address)) {
      return { kind: 'error', message: `the address must be host:port, not ${JSON.stringify(plainLine(address))}` };
    }
    const { 'tls-ca': ca, 'tls-cert': cert, 'tls-key': key } = values;
    if ((cert === undefined) !== (key === undefined)) {
      return { kind: 'error', message: '--tls-cert and --tls-key must be given together' };
    }
    const tls = values.tls || ca || cert ? { ca, cert, key } : undefined;
    return { kind: 'run', options: { user: values.user || undefined, address, room: values.room || 'global', tls } };
  } catch (error) {
    // Node's message goes on with advice on how to pass an argument that begins with a dash.
    const [message = ''] = (error as Error).message.split(/\. (?=To |Did )/);
    return { kind: 'error', message: plainLine(message).replace(/^U/, 'u').replace(/^O/, 'o') };
  }
}

function isAddress(address: string): boolean {
  const [, port] = /^(?:[^\s:[\]/]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(address) ?? [];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}
