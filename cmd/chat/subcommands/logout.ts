import { ChatClientError } from '../../../pkg/chat-client/index.ts';
import { plainName } from '../plain-text.ts';
import { freshToken } from '../stored-token.ts';
import { NotSignedIn, type Subcommand } from './subcommand.ts';

export const logout: Subcommand = {
  name: 'logout',
  parameters: '',
  positionals: { min: 0, max: 0 },
  summary: 'end the stored session',
  options: {},
  async run({ options, sessions, transport, print, session }) {
    const { address } = options;
    const stored = await session();
    if (!stored) throw new NotSignedIn(address);
    try {
      const { token } = await freshToken(sessions, address, transport.auth);
      await transport.auth.logout({}, { token });
    } catch (error) {
      // It has ended already.
      const ended =
        error instanceof NotSignedIn || (error instanceof ChatClientError && error.code === 'UNAUTHENTICATED');
      if (!ended) throw error;
    }
    await sessions.change(address, async () => undefined);
    print(`Signed out ${plainName(stored.name)} at ${address}`, { userId: stored.userId, address });
  },
};
