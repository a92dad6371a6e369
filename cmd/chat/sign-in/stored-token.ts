import { ChatClientError, type Token, type TokenSource, type Transport } from '../../../pkg/chat-client/index.ts';
import type { SessionStore, StoredSession } from './session-store.ts';

/** Tokens that expire sooner are renewed, in milliseconds. */
const marginMs = 30_000;

/**
 * A token source that uses the stored session, refreshes it when necessary, and stores it for the next run. All tokens are of one user: if
 * another program has signed in as another user, it throws.
 */
export function storedToken(sessions: SessionStore, key: string): TokenSource {
  let last: { token: string; userId: string } | undefined;
  return async (auth) => {
    // The service has refused the previous token, or will soon.
    const session = await freshSession(sessions, key, auth, last?.token);
    if (last && last.userId !== session.userId) {
      throw notSignedIn('another user has signed in meanwhile: start again');
    }
    last = { token: session.accessToken, userId: session.userId };
    return { token: session.accessToken, expiresAt: new Date(session.expiresAt) } satisfies Token;
  };
}

/**
 * Resolves with the stored session; its token differs from `refused` and does not expire soon. Throws UNAUTHENTICATED (REFRESH_TOKEN_INVALID)
 * if there is no session, or if it has ended, which also removes it from the file.
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
    // Another program may have refreshed the session while this one waited.
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

/** The error that the service gives for an ended session: the SDK does not retry it. */
export function notSignedIn(message: string): ChatClientError {
  return new ChatClientError(message, { code: 'UNAUTHENTICATED', reason: 'REFRESH_TOKEN_INVALID' });
}
