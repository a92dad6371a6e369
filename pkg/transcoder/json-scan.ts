import { type Faults, shorten } from './faults.ts';

/** Maximum nesting of arrays and objects. It limits every recursion over a body. */
export const maxJsonDepth = 100;

/**
 * Finds faults that JSON.parse accepts: a key that occurs twice in an object, and nesting deeper than `maxJsonDepth`.
 *
 * `text` must be valid JSON. Reports each as a fault of `body`. Does not recurse, and stops where the nesting is too deep.
 */
export function scanJson(text: string, faults: Faults): void {
  const open: (Set<string> | undefined)[] = [];
  let keys: Set<string> | undefined;
  let keyNext = false;
  let line = 1;
  let lineStart = 0;
  for (let at = 0; at < text.length && !faults.full; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = endOfString(text, at);
        if (keyNext && keys) {
          const key = keyOf(text.slice(at, end + 1));
          if (keys.has(key)) {
            const place = `line ${line} column ${at - lineStart + 1}`;
            faults.addAt(
              'body',
              `must not have the key ${JSON.stringify(shorten(key))} twice in one object (${place})`,
            );
          }
          keys.add(key);
          keyNext = false;
        }
        at = end;
        break;
      }
      case 0x7b:
      case 0x5b:
        if (open.length >= maxJsonDepth) {
          faults.addAt('body', `must not be nested deeper than ${maxJsonDepth} levels`);
          return;
        }
        keys = text.charCodeAt(at) === 0x7b ? new Set() : undefined;
        open.push(keys);
        keyNext = keys !== undefined;
        break;
      case 0x7d:
      case 0x5d:
        open.pop();
        keys = open.at(-1);
        keyNext = false;
        break;
      case 0x2c:
        keyNext = keys !== undefined;
        break;
      case 0x0a:
        line++;
        lineStart = at + 1;
        break;
    }
  }
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
}

function keyOf(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}
