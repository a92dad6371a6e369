import { readFileSync } from 'node:fs';
import { compileRules, type Validate } from '../../pkg/proto-rules/compile-rules.ts';
import { type FieldViolation, invalidFieldsError } from '../model/errors.ts';
import type { Call, Step } from './call.ts';

const descriptors = new URL('../../pkg/api/descriptors.json', import.meta.url);

/** The validation rules of the contract. Throws if there is one that is not understood. */
export function loadRules(): (typeName: string) => Validate {
  return compileRules(JSON.parse(readFileSync(descriptors, 'utf8')));
}

/** The contract's patterns, for people. */
const patternsInWords: Readonly<Record<string, string>> = {
  '^[^\\p{C}]*$': 'must not contain control or invisible characters',
  '^[^\\p{Cc}]*$': 'must not contain control characters',
  '^[^\\p{C}\\s]+$': 'must not be empty or contain white space, control or invisible characters',
  '^[^\\x00]*$': 'must not contain the character NUL',
  '^[!-~]+$': 'must consist of visible ASCII characters',
  '^[A-Za-z0-9][A-Za-z0-9_.-]*$':
    'must consist of the letters a to z, digits, "_", "-" and ".", and start with a letter or digit',
  '^[\\p{L}\\p{N}][\\p{L}\\p{N}_.-]*$':
    'must consist of letters, digits, "_", "-" and ".", and start with a letter or digit',
};

function inWords({ field, description }: FieldViolation): FieldViolation {
  const pattern = /^must match the pattern (.+)$/s.exec(description)?.[1] ?? '';
  return { field, description: patternsInWords[pattern] ?? description };
}

/** Throws INVALID_ARGUMENT (INVALID_FIELDS) naming every field at fault. */
export function assertValid(validate: Validate, value: object): void {
  const violations = validate(value);
  if (violations.length > 0) throw invalidFieldsError(...violations.map(inWords));
}

/** Checks the requests of unary calls. The commands of a stream are checked one by one where the stream reads them. */
export function validation(rules: (typeName: string) => Validate): Step {
  const byPath = new Map<string, Validate>();
  const begin = (call: Call) => {
    if (call.malformed) throw call.malformed;
    if (!call.request) return;
    let validate = byPath.get(call.path);
    if (!validate) {
      // The lint rule RPC_REQUEST_STANDARD_NAME holds the contract to this name.
      validate = rules(`${call.path.slice(1).replace(/\.[^.]+\/.*$/, '')}.${call.method}Request`);
      byPath.set(call.path, validate);
    }
    assertValid(validate, call.request);
  };
  return { begin };
}
