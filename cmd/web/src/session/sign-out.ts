import type { Transport } from '../../../../pkg/chat-client/index.ts';
import { clearSession, type StoredSession, withSessionLock } from './stored-session.ts';
import { clearTokens, readTokens } from './stored-tokens.ts';

/** How long the service may take to end the session, in milliseconds. */
const patienceMs = 3_000;

/**
 * Ends the session of an account at the service, and forgets it here, in all tabs. What cannot be ended because the service is away is
 * forgotten all the same.
 */
export async function logOut({ auth }: Transport, { kind, userId }: StoredSession): Promise<void> {
  await withSessionLock(async () => {
    const stored = await readTokens();
    clearSession();
    await clearTokens();
    if (kind !== 'account' || stored?.userId !== userId) return;
    const signal = AbortSignal.timeout(patienceMs);
    try {
      let { token } = stored.access;
      if (stored.access.expiresAt < Date.now() + patienceMs) {
        token = (await auth.refresh(stored, { signal })).accessToken;
      }
      await auth.logout({}, { token, signal });
    } catch {}
  });
}
