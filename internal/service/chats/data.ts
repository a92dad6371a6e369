import { ChatError, invalidFieldsError } from '../../model/errors.ts';
import type { Feature } from '../../model/feature.ts';
import type { MessageData } from '../../model/message.ts';

/** The largest `data` of a chat or message: bytes of its JSON, with numbers written without exponents. */
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
export function toStoredData(data: MessageData): Record<string, unknown> {
  const bytesOfExponents = check(data, 1);
  const json = JSON.stringify(data);
  if (Buffer.byteLength(json) + bytesOfExponents > maxDataBytes)
    throw invalidData(`must be at most ${maxDataBytes} bytes of JSON`);
  return JSON.parse(json);
}

/** Throws FAILED_PRECONDITION (FEATURE_DISABLED) if messages may not have data yet. */
export function checkDataEnabled(enabled: ReadonlySet<Feature>): void {
  if (enabled.has('message_data')) return;
  throw new ChatError('FEATURE_DISABLED', 'messages cannot have data before all nodes know it (FEATURES_ENABLED)');
}

/** Returns the data of a new message as it will be read; undefined if it has no key. Throws as `toStoredData`. */
export function toMessageData(data: MessageData): MessageData | undefined {
  const stored = toStoredData(data);
  return Object.keys(stored).length > 0 ? stored : undefined;
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
