import { ChatClientError } from '../../../pkg/chat-client/index.ts';
import { freshSession, notSignedIn } from '../sign-in/stored-token.ts';
import { plainName } from '../text/plain-text.ts';
import type { Subcommand } from './subcommand.ts';

export const logout: Subcommand = {
  name: 'logout',
  parameters: '',
  positionals: { min: 0, max: 0 },
  summary: 'end the stored session',
  options: {},
  async run({ options, sessions, transport, print, session }) {
    const { address, sessionKey } = options;
    const stored = await session();
    if (!stored) throw notSignedIn('not signed in');
    try {
      const { accessToken } = await freshSession(sessions, sessionKey, transport.auth);
      await transport.auth.logout({}, { token: accessToken });
    } catch (error) {
      // The session has ended already.
      if (!(error instanceof ChatClientError && error.code === 'UNAUTHENTICATED')) throw error;
    }
    await sessions.change(sessionKey, async () => undefined);
    await print(`Signed out ${plainName(stored.name)} at ${address}`, { userId: stored.userId, address });
  },
};
