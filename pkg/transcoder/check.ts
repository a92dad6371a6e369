import { type Faults, kindOf } from './faults.ts';
import type { NumberSources } from './json-body.ts';

/** What a walk over one request's JSON has with it. */
export interface Walk {
  readonly faults: Faults;
  /** The literals of numbers that may not be exact; absent if there are none. */
  readonly numbers?: NumberSources;
}

/**
 * Looks at a JSON value, which is `holder[key]`, and reports everything that keeps it from being a value of its type in proto3 JSON. May
 * replace it in its holder by an equal one that is exact.
 */
export type Check = (value: unknown, walk: Walk, holder: object, key: string | number) => void;

/** Reports that a value has the wrong JSON type. */
export function wrongKind({ faults }: Walk, expected: string, value: unknown): void {
  faults.add(`must be ${expected}, not ${kindOf(value)}`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
