/** Returns the number of Unicode code points of a string. */
export function codePoints(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    if (isHighSurrogate(text.charCodeAt(i)) && isLowSurrogate(text.charCodeAt(i + 1))) {
      length--;
      i++;
    }
  }
  return length;
}

/** Whether a string has at most `max` code points. Counts them only if the number of UTF-16 units leaves it open. */
export function hasAtMost(text: string, max: number): boolean {
  return text.length <= max || (text.length <= 2 * max && codePoints(text) <= max);
}

/** Whether a string has at least `min` code points. Counts them only if the number of UTF-16 units leaves it open. */
export function hasAtLeast(text: string, min: number): boolean {
  return text.length >= 2 * min || (text.length >= min && codePoints(text) >= min);
}

/** Whether a string has exactly `length` code points. */
export function hasExactly(text: string, length: number): boolean {
  return text.length >= length && text.length <= 2 * length && codePoints(text) === length;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
