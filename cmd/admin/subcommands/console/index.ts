import type { Subcommand } from '../subcommand.ts';
import { overview } from './overview.ts';
import { signIn } from './sign-in.ts';

/** The console's, in the order of the usage text. */
export const consoleSubcommands: readonly Subcommand[] = [signIn, overview];
