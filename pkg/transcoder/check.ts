import { type Faults, kindOf } from './faults.ts';
import type { NumberSources } from './json-body.ts';

/** The state of one walk over a request's JSON. */
export interface Walk {
  readonly faults: Faults;
  /** The literals of numbers that a JavaScript number may not hold exactly; absent if there are none. */
  readonly numbers?: NumberSources;
}

/**
 * Checks the JSON value `holder[key]` and reports every reason why it is not a value of its type in proto3 JSON. May
 * replace it in its holder by an exact form of the same value.
 */
export type Check = (value: unknown, walk: Walk, holder: object, key: string | number) => void;

/** Reports that a value has the wrong JSON type. */
export function wrongKind({ faults }: Walk, expected: string, value: unknown): void {
  faults.add(`must be ${expected}, not ${kindOf(value)}`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
