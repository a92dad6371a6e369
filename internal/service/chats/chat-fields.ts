import { hash } from 'node:crypto';
import type { ChatFields } from '../../model/chat-fields.ts';
import { invalidFieldsError } from '../../model/errors.ts';

/** The largest `data` of a chat: bytes of its JSON, with numbers written without exponents. */
export const maxDataBytes = 5 * 1_024;

/**
 * How deep objects and lists of `data` may be nested. Decoders of protobuf refuse messages that are nested more than 100 levels, of which one of
 * `data` takes three.
 */
export const maxDataDepth = 16;

/**
 * Returns the data as it will be read: without -0, for example. Throws INVALID_ARGUMENT, with the field `data`, if it is too large or nested too deep, or
 * if it has a value that the database or JSON cannot hold: the character NUL, half a surrogate pair, or a number that is not finite.
 */
export function toStoredData(data: ChatFields['data']): ChatFields['data'] {
  const bytesOfExponents = check(data, 1);
  const json = JSON.stringify(data);
  if (Buffer.byteLength(json) + bytesOfExponents > maxDataBytes)
    throw invalidData(`must be at most ${maxDataBytes} bytes of JSON`);
  return JSON.parse(json);
}

/** Returns how many digits its numbers have more than JavaScript writes: PostgreSQL writes 1e308 with all of them. */
function check(value: unknown, depth: number): number {
  switch (typeof value) {
    case 'string':
      if (value.includes('\0') || !value.isWellFormed())
        throw invalidData('must consist of well-formed Unicode without the character NUL');
      return 0;
    case 'number':
      if (!Number.isFinite(value)) throw invalidData('must not contain numbers that are not finite');
      return Math.abs(Number(/e(.+)$/.exec(String(value))?.[1] ?? 0));
    case 'object':
      if (value === null) return 0;
      if (depth > maxDataDepth) throw invalidData(`must not be nested more than ${maxDataDepth} levels`);
      return Object.entries(value).reduce((sum, [key, item]) => sum + check(key, depth) + check(item, depth + 1), 0);
    default:
      return 0;
  }
}

function invalidData(description: string) {
  return invalidFieldsError({ field: 'data', description });
}

/** 128 bits of SHA-256 over what must be equal in a repetition. The order of keys is no matter: protobuf does not keep it. */
export function digestOfFields({ name, description, data }: Partial<ChatFields>): Buffer {
  const content = ['chat_updated', name ?? null, description ?? null, data ?? null];
  return hash('sha256', JSON.stringify(content, sortKeys), 'buffer').subarray(0, 16);
}

function sortKeys(_: string, value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
