import { type SubcommandContext, UsageError } from './subcommand.ts';

/** Reads the user's name and password from the arguments, the terminal or standard input. Throws UsageError. */
export async function readCredentials(context: SubcommandContext): Promise<{ username: string; password: string }> {
  const { options, readInput, askSecret } = context;
  const username = options.positionals[0] ?? options.user;
  if (!username) throw new UsageError('whose account? Give NAME');
  if (options.values['password-stdin']) {
    const [password = ''] = (await readInput()).split(/\r?\n/, 1);
    return { username, password };
  }
  const password = await askSecret('Password: ');
  if (password === undefined)
    throw new UsageError('the password: give it on the standard input, with --password-stdin');
  return { username, password };
}

export const passwordHelp = '  --password-stdin   read the password from the standard input; else it is asked for';
export const passwordOption = { 'password-stdin': { type: 'boolean' } } as const;
