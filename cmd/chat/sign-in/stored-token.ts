import { ChatClientError, type Token, type TokenSource, type Transport } from '../../../pkg/chat-client/index.ts';
import type { SessionStore, StoredSession } from './session-store.ts';

/** A token with less time left is renewed, in milliseconds. */
const marginMs = 30_000;

/**
 * Access tokens of the stored session, which is refreshed when it has to be and kept for the next run. They stay those of one user: a session
 * that another program has begun for somebody else ends this one.
 */
export function storedToken(sessions: SessionStore, key: string): TokenSource {
  let last: { token: string; userId: string } | undefined;
  return async (auth) => {
    // The service has refused, or will soon refuse, the one that was given before.
    const session = await freshSession(sessions, key, auth, last?.token);
    if (last && last.userId !== session.userId) {
      throw notSignedIn('somebody else has signed in meanwhile: start again');
    }
    last = { token: session.accessToken, userId: session.userId };
    return { token: session.accessToken, expiresAt: new Date(session.expiresAt) } satisfies Token;
  };
}

/**
 * The stored session, with a token other than `refused` that is good for a while. Throws UNAUTHENTICATED (REFRESH_TOKEN_INVALID) if there is
 * no session, or it has ended; it is not stored any more then.
 */
export async function freshSession(
  sessions: SessionStore,
  key: string,
  auth: Transport['auth'],
  refused?: string,
): Promise<StoredSession> {
  const isFresh = ({ accessToken, expiresAt }: StoredSession) =>
    accessToken !== refused && Date.parse(expiresAt) - Date.now() > marginMs;
  const stored = await sessions.find(key);
  if (stored && isFresh(stored)) return stored;
  const session = await sessions.change(key, async (present) => {
    // Another program may have refreshed it while this one waited.
    if (!present || isFresh(present)) return present;
    try {
      const answer = await auth.refresh(present, {});
      const { accessToken, refreshToken, userId, name, expiresAt = new Date() } = answer;
      return { ...present, accessToken, refreshToken, userId, name, expiresAt: expiresAt.toISOString() };
    } catch (error) {
      if (error instanceof ChatClientError && error.reason.startsWith('REFRESH_TOKEN_')) return undefined;
      throw error;
    }
  });
  if (!session) throw notSignedIn('not signed in: chat login, or --user NAME for a guest');
  return session;
}

/** As the service says it of a session that has ended: the SDK does not try again. */
export function notSignedIn(message: string): ChatClientError {
  return new ChatClientError(message, { code: 'UNAUTHENTICATED', reason: 'REFRESH_TOKEN_INVALID' });
}
