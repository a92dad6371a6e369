import { keepSignedIn } from './keep-signed-in.ts';
import { passwordHelp, passwordOption, readCredentials } from './password.ts';
import type { Subcommand } from './subcommand.ts';

export const register: Subcommand = {
  name: 'register',
  parameters: 'NAME',
  positionals: { min: 0, max: 1 },
  summary: 'make an account, and sign in to it',
  help: passwordHelp,
  options: passwordOption,
  async run(context) {
    const credentials = await readCredentials(context);
    await keepSignedIn(context, await context.transport.auth.register(credentials, { signal: context.signal }));
  },
};
