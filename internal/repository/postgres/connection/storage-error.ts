import { ChatError } from '../../../model/errors.ts';

/** Node's own codes begin with E, which no SQLSTATE does. */
const sqlState = /^[0-9A-DF-Z][0-9A-Z]{4}$/;

/** SQLSTATE classes and codes that mean: not now, try again. */
const transientStates = /^(08|53|57P0|55P03|40001|40P01|57014|25006)/;

/** What Node and pg report when a connection cannot be made or breaks. */
const brokenConnection =
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|Connection terminated|timeout exceeded when trying to connect|Query read timeout|not queryable|Connection ended unexpectedly/;

/** Whether the database could not be reached or was too busy, so that the same statement may succeed later. */
export function isTransient(error: unknown): boolean {
  // A refusal may repeat words of the caller.
  if (!(error instanceof Error) || error instanceof ChatError) return false;
  const { code } = error as { code?: string };
  if (code !== undefined && sqlState.test(code)) return transientStates.test(code);
  return brokenConnection.test(`${code} ${error.message}`);
}

/** Runs a query; transient failures become UNAVAILABLE (STORAGE_UNAVAILABLE), all others stay as they are. */
export async function withStorageErrors<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (!isTransient(error)) throw error;
    throw storageUnavailable(error);
  }
}

export function storageUnavailable(cause: unknown): ChatError {
  return new ChatError('STORAGE_UNAVAILABLE', 'the database cannot be reached at the moment', {
    retryAfterMs: 1_000,
    cause,
  });
}
