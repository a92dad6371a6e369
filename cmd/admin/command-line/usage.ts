import type { Subcommand } from '../subcommands/subcommand.ts';
import { subcommands } from './find-subcommand.ts';

const commonOptions = `  --url URL          the admin port of the service (default: http://127.0.0.1:9464)
  --token-file FILE  a file with the token (default: $ADMIN_TOKEN, if it is set). Sub-commands of the
                     console need the access token of an administrator (default: $ADMIN_ACCESS_TOKEN)
  --tls-ca FILE      trust the authority in FILE (PEM); without it the system's authorities
  --tls-cert FILE    your certificate, if the service asks for one; with --tls-key FILE
  --json             print JSON`;

const consoleOptions =
  '  --worker N         the process to ask, with WORKERS above 1: 1, 2, … (default: the first one that is ready)';

const exits =
  'Exit codes: 0 done, 1 refused or not ready, 2 wrong usage, 3 the service cannot be reached, 4 the token is missing or\nwrong, 130 interrupted.';

export const usage = `usage: admin SUBCOMMAND [OPTIONS]

Asks a running service at its admin port (ADMIN_PORT).

${commonOptions}
  --help             print this; after a sub-command, its own help

Sub-commands:
${listed(({ console }) => !console)}

Sub-commands of the console (docs/admin-console.md), each with --worker N:
${listed(({ console }) => console === true)}

${exits}`;

function listed(isMeant: (subcommand: Subcommand) => boolean): string {
  const meant = subcommands.filter(isMeant);
  return meant.map(({ name, summary }) => `  ${name.padEnd(16)} ${summary}`).join('\n');
}

export function usageOf({ name, summary, help, console }: Subcommand): string {
  return [
    `usage: admin ${name} [OPTIONS]`,
    `\n${summary[0]!.toUpperCase()}${summary.slice(1)}.\n`,
    ...(help ? [help] : []),
    ...(console ? [consoleOptions] : []),
    commonOptions,
    `\n${exits}`,
  ].join('\n');
}
