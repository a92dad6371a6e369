import { ChatError } from '../../../model/errors.ts';

/** The codes of Node begin with E, and no SQLSTATE does. */
const sqlState = /^[0-9A-DF-Z][0-9A-Z]{4}$/;

/** SQLSTATE classes and codes of failures after which the same statement may succeed. */
const transientStates = /^(08|53|57P0|55P03|40001|40P01|57014|25006)/;

/** The codes and messages of Node and pg when a connection cannot be opened or breaks. */
const brokenConnection =
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|Connection terminated|timeout exceeded when trying to connect|Query read timeout|not queryable|Connection ended unexpectedly/;

/** Reports whether the database could not be reached or was too busy: the same statement may succeed later. */
export function isTransient(error: unknown): boolean {
  // The message of a refusal may contain words of the caller.
  if (!(error instanceof Error) || error instanceof ChatError) return false;
  const { code } = error as { code?: string };
  if (code !== undefined && sqlState.test(code)) return transientStates.test(code);
  return brokenConnection.test(`${code} ${error.message}`);
}

/** Runs a query. A transient failure becomes UNAVAILABLE (STORAGE_UNAVAILABLE); any other error is thrown unchanged. */
export async function withStorageErrors<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (!isTransient(error)) throw error;
    throw storageUnavailable(error);
  }
}

/** SQLSTATE class 22: values that PostgreSQL cannot hold, such as a text with a NUL. */
const dataException = /^22/;
/** The constraints that a message can break by its own content. */
const messageConstraints: ReadonlySet<unknown> = new Set(['messages_id', 'messages_client_message_id']);

/** The constraint that an edit breaks while the message grows. */
const editedOnceComplete = 'messages_edited_once_complete';

/** Reports whether the content of a message caused the error, so that the same statement can never succeed. */
function isFaultOfMessage(error: unknown): boolean {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  if (typeof code !== 'string' || !sqlState.test(code)) return false;
  return dataException.test(code) || (code.startsWith('23') && messageConstraints.has(constraint));
}

/**
 * Runs a statement that checks or writes messages. An error that a message caused becomes INVALID_ARGUMENT (INVALID_FIELDS). Every other error
 * becomes UNAVAILABLE (STORAGE_UNAVAILABLE): also a table or function that is missing in the middle of a change of the schema must not cost a
 * message.
 */
export async function withMessageErrors<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (error instanceof ChatError) throw error;
    if ((error as { constraint?: unknown }).constraint === editedOnceComplete) {
      throw new ChatError('MESSAGE_STREAMING', 'the message is still growing', { cause: error });
    }
    if (isFaultOfMessage(error))
      throw new ChatError('INVALID_FIELDS', 'this message cannot be stored', { cause: error });
    throw storageUnavailable(error);
  }
}

export function storageUnavailable(cause: unknown): ChatError {
  return new ChatError('STORAGE_UNAVAILABLE', 'the database cannot be reached at the moment', {
    retryAfterMs: 1_000,
    cause,
  });
}
