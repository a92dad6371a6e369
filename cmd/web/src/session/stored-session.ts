/** The signed-in user, stored across reloads. */
export interface StoredSession {
  kind: 'guest' | 'account';
  userId: string;
  name: string;
}

const key = 'chat/session';

/** Undefined if nobody is signed in, or if what is stored makes no sense. */
export function readSession(): StoredSession | undefined {
  try {
    const { kind, userId, name } = JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<StoredSession>;
    const complete = (kind === 'guest' || kind === 'account') && typeof userId === 'string' && typeof name === 'string';
    return complete ? { kind, userId, name } : undefined;
  } catch {
    return undefined;
  }
}

export function writeSession(session: StoredSession): void {
  localStorage.setItem(key, JSON.stringify(session));
}

export function clearSession(): void {
  localStorage.removeItem(key);
}

/**
 * Runs the function while no other tab runs one. Browsers have no locks on pages that came without TLS from elsewhere: there tabs must not
 * refresh at the same moment.
 */
export function withSessionLock<T>(run: () => Promise<T>): Promise<T> {
  const { locks } = navigator as { locks?: LockManager };
  return locks ? (locks.request(key, run) as Promise<T>) : run();
}

/** Calls the listener when another tab has signed in or out; returns how to stop. */
export function onSessionChangeElsewhere(listener: () => void): () => void {
  const hear = (event: StorageEvent) => {
    if (event.key === key || event.key === null) listener();
  };
  addEventListener('storage', hear);
  return () => removeEventListener('storage', hear);
}
