import { randomUUID } from 'node:crypto';
import type { StoredSession } from '../sign-in/session-store.ts';
import { plainName } from '../text/plain-text.ts';
import type { SubcommandContext } from './subcommand.ts';

interface SignedIn extends Omit<StoredSession, 'expiresAt'> {
  expiresAt: Date | undefined;
}

/** Stores a new session and prints whose it is. */
export async function keepSignedIn(
  { options, sessions, print }: SubcommandContext,
  { userId, name, accessToken, refreshToken, expiresAt }: SignedIn,
): Promise<void> {
  const session = {
    userId,
    name,
    accessToken,
    refreshToken,
    retryKey: randomUUID(),
    expiresAt: (expiresAt ?? new Date()).toISOString(),
  };
  await sessions.change(options.sessionKey, async () => session);
  await print(`Signed in as ${plainName(name)} at ${options.address}`, { userId, name, address: options.address });
}
