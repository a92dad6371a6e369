import type { OptionsJson } from './descriptor-set.ts';
import type { EnumRulesJson } from './enum-rules.ts';
import type { NumberKind, NumberRulesJson } from './number-rules.ts';
import type { StringRulesJson } from './string-rules.ts';

/** `validate.FieldRules` in JSON: the rules of one field, of the items of a list, or of a map's keys or values. */
export interface FieldRulesJson extends Partial<Record<NumberKind, NumberRulesJson>> {
  string?: StringRulesJson;
  bool?: BoolRulesJson;
  bytes?: BytesRulesJson;
  enum?: EnumRulesJson;
  message?: MessageRulesJson;
  repeated?: RepeatedRulesJson;
  map?: MapRulesJson;
  any?: RequiredJson;
  duration?: RequiredJson;
  timestamp?: RequiredJson;
}

export interface BoolRulesJson {
  const?: boolean;
}

export interface BytesRulesJson {
  len?: string;
  minLen?: string;
  maxLen?: string;
}

export interface RequiredJson {
  required?: boolean;
}

export interface MessageRulesJson extends RequiredJson {
  skip?: boolean;
}

export interface RepeatedRulesJson {
  minItems?: string;
  maxItems?: string;
  unique?: boolean;
  items?: FieldRulesJson;
}

export interface MapRulesJson {
  minPairs?: string;
  maxPairs?: string;
  keys?: FieldRulesJson;
  values?: FieldRulesJson;
}

/** Whether the options contain validation rules. */
export function hasValidation(options: OptionsJson | undefined): boolean {
  return Object.keys(options ?? {}).some(isValidation);
}

/** Returns the value of a validation option. Throws if the options have a further validation option. */
export function readValidation(options: OptionsJson | undefined, known?: string): unknown {
  for (const name of Object.keys(options ?? {})) {
    if (isValidation(name) && name !== known) throw new Error(`the option ${name} is not understood`);
  }
  return known === undefined ? undefined : options?.[known];
}

function isValidation(optionName: string): boolean {
  return optionName.startsWith('[validate.');
}
