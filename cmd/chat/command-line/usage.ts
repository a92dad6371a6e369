import { subcommands } from '../subcommands/index.ts';
import type { Subcommand } from '../subcommands/subcommand.ts';

const serviceOptions = `  --addr ADDRESS     where the service is: host:port (default: $CHAT_ADDR, or 127.0.0.1:50051);
                     with --transport ws also a URL (default: 127.0.0.1:8080)
  --transport KIND   grpc or ws, that is WebSocket and REST (default: $CHAT_TRANSPORT, or grpc)
  --tls              the service speaks TLS, with a certificate of an authority that this machine trusts
  --tls-ca FILE      the same, with a certificate of the authority in FILE (PEM)
  --tls-cert FILE    one's own certificate, where the service asks for one; with --tls-key FILE
  --session FILE     where sessions are kept (default: $CHAT_SESSION, or ~/.config/chat-service/session.json)`;

export const usage = `Usage: chat [--user NAME] [--room NAME] [OPTIONS]      talk in the terminal
       chat SUBCOMMAND ... [--json] [OPTIONS]            one thing, for scripts

  --user NAME        a guest by that name; else the stored session, or it is asked for
  --room NAME        the room to start in (default: global)
${serviceOptions}
  --help             print this; after a sub-command, more about it

Sub-commands:
${subcommands.map(({ name, parameters, summary }) => `  ${`${name} ${parameters}`.trim().padEnd(28)} ${summary}`).join('\n')}

CHAT is an id, a room's name, or @ and a user's name. Exit codes: 0 done, 1 refused by the service, or something from a
pipe was not sent, 2 wrong usage, 4 not signed in; of sub-commands also 3 the service cannot be reached, and
130 interrupted (connect-chat ends with 0 then).`;

export function usageOfSubcommand({ name, parameters, summary, help }: Subcommand): string {
  return [
    `Usage: chat ${`${name} ${parameters}`.trim()} [--json] [OPTIONS]`,
    `\n${summary[0]!.toUpperCase()}${summary.slice(1)}.\n`,
    ...(help ? [help] : []),
    '  --user NAME        as a guest by that name, instead of the stored session',
    serviceOptions,
    '  --json             print JSON, one object a line',
  ].join('\n');
}
