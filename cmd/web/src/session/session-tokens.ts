import { ChatClientError, guest, refreshToken, type TokenSource } from '../../../../pkg/chat-client/index.ts';
import { type StoredSession, withSessionLock } from './stored-session.ts';
import { readTokens, writeTokens } from './stored-tokens.ts';

/** A stored access token that expires sooner is not used any more, in milliseconds. */
const minLeftMs = 3_000;

/**
 * Access tokens of the stored session. Tabs share them: one that needs another takes what a different tab has stored meanwhile, or else refreshes,
 * one at a time, so that no refresh token is used twice.
 */
export function sessionTokens({ kind, userId, name }: StoredSession): TokenSource {
  let last: string | undefined;
  return (auth, signal) =>
    withSessionLock(async () => {
      const stored = await readTokens();
      if (stored?.userId !== userId) throw signedOut();
      const { token, expiresAt } = stored.access;
      // The one that was given before has been refused, or is about to expire.
      if (token !== last && expiresAt - Date.now() > minLeftMs) {
        last = token;
        return { token, expiresAt: new Date(expiresAt) };
      }
      const next = { ...stored };
      const keep = (rotated: string) => {
        next.refreshToken = rotated;
        // At once: the one before is used up.
        return writeTokens(next);
      };
      const source = kind === 'guest' ? guest(name) : refreshToken(stored.refreshToken ?? '', keep, stored);
      const given = await source(auth, signal);
      await writeTokens({ ...next, access: { token: given.token, expiresAt: given.expiresAt.getTime() } });
      last = given.token;
      return given;
    });
}

function signedOut(): ChatClientError {
  const message = 'signed out in another tab';
  return new ChatClientError(message, { code: 'UNAUTHENTICATED', reason: 'REFRESH_TOKEN_INVALID' });
}
