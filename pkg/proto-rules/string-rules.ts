import { count, makeRules, type Rule, type RuleTable, toSize } from './rule.ts';
import { hasAtLeast, hasAtMost, hasExactly } from './text-length.ts';

/** The supported part of `validate.StringRules` in JSON. */
export interface StringRulesJson {
  const?: string;
  len?: string;
  minLen?: string;
  maxLen?: string;
  lenBytes?: string;
  minBytes?: string;
  maxBytes?: string;
  pattern?: string;
  prefix?: string;
  suffix?: string;
  contains?: string;
  notContains?: string;
  in?: string[];
  notIn?: string[];
  uuid?: boolean;
  uri?: boolean;
}

/** Compiles the rules of a string field. Lengths are in Unicode code points, those of `…_bytes` in bytes of UTF-8. */
export function stringRules(json: StringRulesJson): Rule<string>[] {
  return makeRules('string', table, json);
}

const table: RuleTable<StringRulesJson, string> = {
  maxBytes: (operand) => {
    const max = toSize(operand);
    return {
      holds: (value) => value.length <= max && (value.length * 3 <= max || Buffer.byteLength(value) <= max),
      description: `must have at most ${count(max, 'byte')}`,
      decisive: true,
    };
  },
  maxLen: (operand) => {
    const max = toSize(operand);
    return {
      holds: (value) => hasAtMost(value, max),
      description: `must have at most ${count(max, 'character')}`,
      decisive: true,
    };
  },
  minBytes: (operand) => {
    const min = toSize(operand);
    return {
      holds: (value) => value.length >= min || Buffer.byteLength(value) >= min,
      description: `must have at least ${count(min, 'byte')}`,
    };
  },
  minLen: (operand) => {
    const min = toSize(operand);
    return {
      holds: (value) => hasAtLeast(value, min),
      description: `must have at least ${count(min, 'character')}`,
    };
  },
  lenBytes: (operand) => {
    const length = toSize(operand);
    return {
      holds: (value) => value.length <= length && Buffer.byteLength(value) === length,
      description: `must have exactly ${count(length, 'byte')}`,
    };
  },
  len: (operand) => {
    const length = toSize(operand);
    return {
      holds: (value) => hasExactly(value, length),
      description: `must have exactly ${count(length, 'character')}`,
    };
  },
  const: (expected) => ({ holds: (value) => value === expected, description: `must be ${quote(expected)}` }),
  in: (operand) => {
    const allowed = new Set(operand);
    return { holds: (value) => allowed.has(value), description: `must be one of ${quoteAll(operand)}` };
  },
  notIn: (operand) => {
    const refused = new Set(operand);
    return { holds: (value) => !refused.has(value), description: `must not be one of ${quoteAll(operand)}` };
  },
  uuid: (wanted) =>
    wanted ? { holds: (value) => value.length === 36 && uuid.test(value), description: 'must be a UUID' } : undefined,
  uri: (wanted) =>
    wanted
      ? { holds: (value) => absoluteUri.test(value) && URL.canParse(value), description: 'must be an absolute URI' }
      : undefined,
  prefix: (part) => ({ holds: (value) => value.startsWith(part), description: `must start with ${quote(part)}` }),
  suffix: (part) => ({ holds: (value) => value.endsWith(part), description: `must end with ${quote(part)}` }),
  contains: (part) => ({ holds: (value) => value.includes(part), description: `must contain ${quote(part)}` }),
  notContains: (part) => ({ holds: (value) => !value.includes(part), description: `must not contain ${quote(part)}` }),
  pattern: (source) => {
    const pattern = compilePattern(source);
    return { holds: (value) => pattern.test(value), description: `must match the pattern ${source}` };
  },
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

// The characters of RFC 3986; URL.canParse alone accepts spaces and many other characters.
const absoluteUri = /^[a-z][a-z0-9+.-]*:(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[0-9a-f]{2})+$/i;

/**
 * Compiles a pattern in RE2 syntax. Throws on syntax that JavaScript does not support, and on JavaScript syntax that RE2
 * does not support (look-around, back-references, `\u`). `.`, `\s` and `\p{C}` have JavaScript's meaning: all of Unicode's
 * line ends, white space, and unassigned characters.
 */
function compilePattern(source: string): RegExp {
  const unescaped = source.replace(/\\[^1-9cku]/g, '');
  if (/\\[1-9cku]|\(\?<?[=!]/.test(unescaped)) throw new Error(`the pattern ${source} is not of RE2's syntax`);
  return new RegExp(source, 'u');
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function quoteAll(texts: readonly string[]): string {
  return texts.map(quote).join(', ');
}
