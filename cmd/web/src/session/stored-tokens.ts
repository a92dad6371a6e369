/** The tokens with which a session continues after a reload. */
export interface StoredTokens {
  userId: string;
  /** So that a reload needs no other; it expires at that time, in milliseconds since 1970. */
  access: { token: string; expiresAt: number };
  /** Valid for one use; guests have none. */
  refreshToken?: string;
  /** With it a refresh whose answer was lost, as by a reload, can be made again. */
  retryKey?: string;
}

const databaseName = 'chat';
const storeName = 'tokens';
const key = 'current';

/**
 * In IndexedDB: what one tab has written, the next one reads. With localStorage that is not so, not even under a lock: other processes learn of it
 * a moment later.
 */
export function readTokens(): Promise<StoredTokens | undefined> {
  return withStore('readonly', (store) => store.get(key));
}

/** Resolves when it is stored. */
export async function writeTokens(tokens: StoredTokens): Promise<void> {
  await withStore('readwrite', (store) => store.put(tokens, key));
}

export async function clearTokens(): Promise<void> {
  await withStore('readwrite', (store) => store.delete(key));
}

async function withStore<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(databaseName, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(storeName);
  const database = await done(opening);
  try {
    const transaction = database.transaction(storeName, mode);
    const asked = ask(transaction.objectStore(storeName));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    return asked.result;
  } finally {
    database.close();
  }
}

function done<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}
