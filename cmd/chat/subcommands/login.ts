import { keepSignedIn } from './keep-signed-in.ts';
import { passwordHelp, passwordOption, readCredentials } from './password.ts';
import type { Subcommand } from './subcommand.ts';

export const login: Subcommand = {
  name: 'login',
  parameters: 'NAME',
  positionals: { min: 0, max: 1 },
  summary: 'sign in to an account, and stay signed in',
  help: passwordHelp,
  options: passwordOption,
  async run(context) {
    const credentials = await readCredentials(context);
    await keepSignedIn(context, await context.transport.auth.login(credentials, { signal: context.signal }));
  },
};
