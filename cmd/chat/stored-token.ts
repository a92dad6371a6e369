import { ChatClientError, type Token, type TokenSource, type Transport } from '../../pkg/chat-client/index.ts';
import type { SessionStore } from './session-store.ts';
import { NotSignedIn } from './subcommands/subcommand.ts';

/** A token with less time left is renewed, in milliseconds. */
const marginMs = 30_000;

/** Access tokens of the stored session, which is refreshed when it has to be and kept for the next run. */
export function storedToken(sessions: SessionStore, address: string): TokenSource {
  let last: string | undefined;
  return async (auth) => {
    // The service has refused, or will soon refuse, the one that was given before.
    const token = await freshToken(sessions, address, auth, last);
    last = token.token;
    return token;
  };
}

/** A token of the stored session other than `refused`. Throws NotSignedIn if there is no session, or it has ended. */
export async function freshToken(
  sessions: SessionStore,
  address: string,
  auth: Transport['auth'],
  refused?: string,
): Promise<Token> {
  const isFresh = (token: string, expiresAt: string) =>
    token !== refused && Date.parse(expiresAt) - Date.now() > marginMs;
  const stored = await sessions.find(address);
  if (stored && isFresh(stored.accessToken, stored.expiresAt)) return toToken(stored);
  let ended = false;
  const session = await sessions.change(address, async (present) => {
    // Another program may have refreshed it while this one waited.
    if (!present || isFresh(present.accessToken, present.expiresAt)) return present;
    try {
      const answer = await auth.refresh({ refreshToken: present.refreshToken }, {});
      const { accessToken, refreshToken, userId, name, expiresAt = new Date() } = answer;
      return { accessToken, refreshToken, userId, name, expiresAt: expiresAt.toISOString() };
    } catch (error) {
      ended = error instanceof ChatClientError && error.reason.startsWith('REFRESH_TOKEN_');
      if (!ended) throw error;
      return undefined;
    }
  });
  if (!session || ended) throw new NotSignedIn(address);
  return toToken(session);
}

function toToken({ accessToken, expiresAt }: { accessToken: string; expiresAt: string }): Token {
  return { token: accessToken, expiresAt: new Date(expiresAt) };
}
