import { isDeepStrictEqual } from 'node:util';
import { ChatError } from '../../model/errors.ts';

/**
 * Returns the paths of the fields that `convert` loses: its result does not change when the field gets its value from `other`. A field whose other value
 * `convert` refuses is not lost.
 */
export function lostFields<T>(value: T, other: T, convert: (value: T) => unknown): string[] {
  const whole = convert(value);
  const isLost = (changed: unknown) => {
    try {
      return isDeepStrictEqual(convert(changed as T), whole);
    } catch {
      return false;
    }
  };
  return [...changes(value, other)].filter(([, changed]) => isLost(changed)).map(([path]) => path);
}

/** Yields copies of a value with one field replaced by that of the other value, at any depth, with the field's path. */
function* changes(value: unknown, other: unknown, path = ''): Generator<[string, unknown]> {
  if (!isBranch(value) || !isBranch(other) || !isDeepStrictEqual(Object.keys(value), Object.keys(other))) {
    if (!isDeepStrictEqual(value, other)) yield [path, other];
    return;
  }
  for (const [name, field] of Object.entries(value)) {
    for (const [at, changed] of changes(field, other[name], path === '' ? name : `${path}.${name}`)) {
      yield [at, Array.isArray(value) ? value.with(Number(name), changed) : { ...value, [name]: changed }];
    }
  }
}

/** Returns a copy of a model value with another value in every field except `kind`. */
export function altered<T>(value: T): T {
  return alter(value, '') as T;
}

function alter(value: unknown, name: string): unknown {
  if (name === 'kind') return value;
  if (typeof value === 'string') return `${value}'`;
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (value instanceof Date) return new Date(value.getTime() + 1_000);
  if (value instanceof ChatError) return new ChatError('INTERNAL', `${value.message}'`);
  if (Array.isArray(value)) return value.map((item) => alter(item, ''));
  if (!isBranch(value)) throw new TypeError(`no other value is known for ${name}: ${value}`);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, alter(field, key)]));
}

function isBranch(value: unknown): value is Record<string, unknown> {
  return Array.isArray(value) || (typeof value === 'object' && value?.constructor === Object);
}
