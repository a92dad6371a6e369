import { plainName } from '../plain-text.ts';
import { freshToken } from '../stored-token.ts';
import type { Subcommand } from './subcommand.ts';

export const whoami: Subcommand = {
  name: 'whoami',
  parameters: '',
  positionals: { min: 0, max: 0 },
  summary: 'tell who is signed in, as the service sees it',
  options: {},
  async run({ options, sessions, transport, print }) {
    const { address, user } = options;
    const token = user
      ? (await transport.auth.guest({ name: user }, {})).accessToken
      : (await freshToken(sessions, address, transport.auth)).token;
    const { userId, name, roles } = await transport.auth.getMe({}, { token });
    print(`${plainName(name)} (${plainName(userId)}) at ${address}; roles: ${roles.join(', ')}`, {
      userId,
      name,
      roles,
      address,
    });
  },
};
