import { ChatClientError } from '../../../pkg/chat-client/index.ts';
import { freshSession } from '../sign-in/stored-token.ts';
import { plainName } from '../text/plain-text.ts';
import type { Subcommand } from './subcommand.ts';

export const whoami: Subcommand = {
  name: 'whoami',
  parameters: '',
  positionals: { min: 0, max: 0 },
  summary: 'tell who is signed in, as the service sees it',
  options: {},
  async run({ options, sessions, transport, print }) {
    const { address, user, sessionKey } = options;
    const { auth } = transport;
    const tokenOf = async (refused?: string) =>
      user
        ? (await auth.guest({ name: user }, {})).accessToken
        : (await freshSession(sessions, sessionKey, auth, refused)).accessToken;
    const token = await tokenOf();
    const me = await auth.getMe({}, { token }).catch(async (error: unknown) => {
      // The session may have ended before its token expires; then refreshing it fails, too.
      if (!(error instanceof ChatClientError && error.code === 'UNAUTHENTICATED')) throw error;
      return auth.getMe({}, { token: await tokenOf(token) });
    });
    const { userId, name, roles } = me;
    await print(`${plainName(name)} (${plainName(userId)}) at ${address}; roles: ${roles.join(', ')}`, {
      userId,
      name,
      roles,
      address,
    });
  },
};
