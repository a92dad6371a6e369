import type { EnumJson } from './descriptor-set.ts';
import { type Rule, refuseOthers } from './rule.ts';

/** `validate.EnumRules` in JSON. */
export interface EnumRulesJson {
  const?: number;
  definedOnly?: boolean;
  in?: number[];
  notIn?: number[];
}

/** The rules of an enum field, as one: which numbers are allowed or, if any other number is, which are not. */
export function enumRules(json: EnumRulesJson, enumType: EnumJson | undefined): Rule<number>[] {
  refuseOthers('enum', json, ['const', 'definedOnly', 'in', 'notIn']);
  const names = new Map((enumType?.value ?? []).map(({ name, number = 0 }) => [number, name]));
  const list = (numbers: Iterable<number>) => [...numbers].map((number) => names.get(number) ?? number).join(', ');

  const refused = new Set(json.notIn);
  const candidates =
    json.const !== undefined ? [json.const] : (json.in ?? (json.definedOnly ? [...names.keys()] : undefined));
  if (candidates) {
    const allowed = new Set(
      candidates.filter(
        (number) =>
          !refused.has(number) &&
          (!json.definedOnly || names.has(number)) &&
          (json.const === undefined || json.in === undefined || json.in.includes(number)),
      ),
    );
    if (allowed.size === 0) throw new Error('the rules of enum allow no value');
    const description = allowed.size === 1 ? `must be ${list(allowed)}` : `must be one of ${list(allowed)}`;
    return [{ holds: (value) => allowed.has(value), description }];
  }
  if (refused.size > 0) {
    return [{ holds: (value) => !refused.has(value), description: `must not be ${list(refused)}` }];
  }
  return [];
}
