import type { Faults } from './faults.ts';
import { scanJson } from './json-scan.ts';

/** The number literals of a parsed text by the object or array that holds them. They keep digits that a JavaScript number loses. */
export type NumberSources = Map<object, Map<string, string>>;

export interface JsonBody {
  value: unknown;
  /** Set only if the text has numbers that a JavaScript number may not hold exactly. */
  numbers?: NumberSources;
}

/** Parses a body. If it is not JSON, reports that as a fault of `body` and returns undefined. */
export function parseBody(body: string | Uint8Array, faults: Faults): JsonBody | undefined {
  const before = faults.violations.length;
  let text: string;
  let value: unknown;
  try {
    text = typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    faults.addAt('body', 'must be UTF-8');
    return undefined;
  }
  try {
    value = JSON.parse(text);
  } catch (error) {
    faults.addAt('body', `must be JSON: ${(error as Error).message.toWellFormed()}`);
    return undefined;
  }
  scanJson(text, faults);
  if (faults.violations.length > before) return undefined;
  return manyDigits.test(text) ? parseWithNumbers(text) : { value };
}

/** Numbers with fewer digits are exact, unless they have an exponent. */
const manyDigits = /[\d.]{16}/;

/** Recurses as deep as the text is nested; the scan before has limited the depth. */
function parseWithNumbers(text: string): JsonBody {
  const numbers: NumberSources = new Map();
  const value = JSON.parse(text, function remember(key, item, context?: { source?: string }) {
    if (typeof item === 'number' && !Number.isSafeInteger(item) && context?.source !== undefined) {
      const siblings = numbers.get(this) ?? new Map<string, string>();
      numbers.set(this, siblings.set(key, context.source));
    }
    return item;
  });
  return { value, numbers };
}
