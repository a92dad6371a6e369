import { subcommands } from '../subcommands/index.ts';
import type { Subcommand } from '../subcommands/subcommand.ts';

const serviceOptions = `  --addr ADDRESS     where the service is: host:port (default: $CHAT_ADDR, or 127.0.0.1:50051);
                     with --transport ws also a URL (default: 127.0.0.1:8080)
  --transport KIND   grpc or ws, that is WebSocket and REST (default: $CHAT_TRANSPORT, or grpc)
  --tls              use TLS; this machine must trust the authority of the service's certificate
  --tls-ca FILE      use TLS, and trust the authority in FILE (PEM) instead
  --tls-cert FILE    your certificate, if the service asks for one; with --tls-key FILE
  --session FILE     stores sessions (default: $CHAT_SESSION, or ~/.config/chat-service/session.json)`;

export const usage = `Usage: chat [--user NAME] [--room NAME] [OPTIONS]      talk in the terminal
       chat SUBCOMMAND ... [--json] [OPTIONS]            do one thing, for scripts

  --user NAME        sign in as a guest (default: the stored session, or a question)
  --room NAME        the room to start in (default: global)
${serviceOptions}
  --help             print this; after a sub-command, its own help

Sub-commands:
${subcommands.map(({ name, parameters, summary }) => `  ${`${name} ${parameters}`.trim().padEnd(28)} ${summary}`).join('\n')}

CHAT is an id, a room's name, or @ and a user's name. Exit codes: 0 done, 1 refused by the service, or lines from a pipe
were not sent, 2 wrong usage, 4 not signed in. Sub-commands also: 3 the service cannot be reached, 130 interrupted
(0 for connect-chat).`;

export function usageOfSubcommand({ name, parameters, summary, help }: Subcommand): string {
  return [
    `Usage: chat ${`${name} ${parameters}`.trim()} [--json] [OPTIONS]`,
    `\n${summary[0]!.toUpperCase()}${summary.slice(1)}.\n`,
    ...(help ? [help] : []),
    '  --user NAME        as a guest, instead of with the stored session',
    serviceOptions,
    '  --json             print JSON, one object per line',
  ].join('\n');
}
