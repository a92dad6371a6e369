import { invalidFieldsError } from '../model/errors.ts';

/** Encodes the key after which the next page begins as an opaque string; '' for undefined. */
export function toPageToken(key: unknown): string {
  return key === undefined ? '' : Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** Decodes a page token; undefined for '', the first page. Throws ChatError (INVALID_FIELDS) if the token holds no key that `isKey` accepts. */
export function fromPageToken<T>(token: string, isKey: (key: unknown) => key is T): T | undefined {
  if (token === '') return undefined;
  let key: unknown;
  try {
    key = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    // Refused below.
  }
  if (!isKey(key)) {
    throw invalidFieldsError({ field: 'page_token', description: 'is not a token that this method has returned' });
  }
  return key;
}

export function isString(key: unknown): key is string {
  return typeof key === 'string' && !key.includes('\0');
}

/** Whether `key` is an integer that both PostgreSQL's bigint and JavaScript represent exactly. */
export function isNumber(key: unknown): key is number {
  return Number.isSafeInteger(key);
}
