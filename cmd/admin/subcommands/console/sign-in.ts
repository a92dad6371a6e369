import { readFileSync } from 'node:fs';
import type { Subcommand } from '../subcommand.ts';

export const signIn: Subcommand = {
  name: 'sign-in',
  summary: 'print an access token, for ADMIN_ACCESS_TOKEN',
  help: `  --user NAME            the account of an administrator
  --password-file FILE   a file with its password`,
  console: true,
  options: { user: { type: 'string' }, 'password-file': { type: 'string' } },
  async run({ client, values, print, signal }) {
    const { user, 'password-file': file } = values;
    if (typeof user !== 'string' || typeof file !== 'string')
      throw new Error('--user and --password-file are required');
    const credentials = { username: user, password: readFileSync(file, 'utf8').trim() };
    const answer = await client.act<{ accessToken: string }>('/admin/api/sign-in', credentials, signal);
    print(answer.accessToken, answer);
  },
};
