import { readFileSync } from 'node:fs';
import { compileRules, type Validate } from '../../pkg/proto-rules/compile-rules.ts';
import { type FieldViolation, invalidFieldsError } from '../model/errors.ts';
import type { Call, Step } from './call.ts';

const descriptors = new URL('../../pkg/api/descriptors.json', import.meta.url);

/** Compiles the validation rules of the contract's messages. Throws if a rule is not supported. */
export function loadRules(): (typeName: string) => Validate {
  return compileRules(JSON.parse(readFileSync(descriptors, 'utf8')));
}

/** Descriptions of the contract's regular expressions, for error messages. */
const patternsInWords: Readonly<Record<string, string>> = {
  '^[^\\p{C}]*$': 'must not contain control or invisible characters',
  '^[^\\p{Cc}]*$': 'must not contain control characters',
  '^[^\\p{C}\\s]*$': 'must not contain white space, control or invisible characters',
  '^[^\\p{C}\\s]+$': 'must not be empty or contain white space, control or invisible characters',
  '^[^\\x00]*$': 'must not contain the character NUL',
  '^[!-~]+$': 'must consist of visible ASCII characters',
  '^[!-~]*$': 'must consist of visible ASCII characters',
  '^[a-z0-9._-]*$': 'must consist of the letters a to z, digits, ".", "_" and "-"',
  '^[A-Za-z0-9][A-Za-z0-9_.-]*$':
    'must consist of the letters a to z, digits, "_", "-" and ".", and start with a letter or digit',
  '^[\\p{L}\\p{N}][\\p{L}\\p{N}_.-]*$':
    'must consist of letters, digits, "_", "-" and ".", and start with a letter or digit',
};

function inWords({ field, description }: FieldViolation): FieldViolation {
  const pattern = /^must match the pattern (.+)$/s.exec(description)?.[1] ?? '';
  return { field, description: patternsInWords[pattern] ?? description };
}

/** Throws ChatError (INVALID_FIELDS) that names every field at fault. */
export function assertValid(validate: Validate, value: object): void {
  const violations = validate(value);
  if (violations.length > 0) throw invalidFieldsError(...violations.map(inWords));
}

/** Validates the requests of unary calls. CommandReader validates the commands of streams one by one. */
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
