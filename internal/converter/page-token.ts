import { invalidFieldsError } from '../model/errors.ts';

/** A page's continuation as an opaque string. */
export function toPageToken(key: unknown): string {
  return key === undefined ? '' : Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** Undefined for the first page. Throws INVALID_ARGUMENT for what `toPageToken` did not make of a key of this kind. */
export function fromPageToken<T>(token: string, isKey: (key: unknown) => key is T): T | undefined {
  if (token === '') return undefined;
  let key: unknown;
  try {
    key = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    // Refused below.
  }
  if (!isKey(key)) {
    throw invalidFieldsError({ field: 'page_token', description: 'is not one that this method has given' });
  }
  return key;
}

export function isString(key: unknown): key is string {
  return typeof key === 'string' && !key.includes('\0');
}

/** A number as PostgreSQL's bigint and JavaScript both know it. */
export function isNumber(key: unknown): key is number {
  return Number.isSafeInteger(key);
}
