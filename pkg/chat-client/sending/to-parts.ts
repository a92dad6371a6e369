/** The most UTF-16 code units of a part: as UTF-8 in JSON it fits into the frames of a service with the smallest limits that make sense. */
const maxUnits = 16_384;

/**
 * Cuts a text into parts of whole characters. `rest` is the first half of a character whose second half has not come yet: tokens of a language model may end
 * in the middle of an emoji.
 */
export function toParts(text: string): { pieces: string[]; rest: string } {
  const rest = endsInside(text, text.length) ? text.slice(-1) : '';
  const whole = rest ? text.slice(0, -1) : text;
  const pieces: string[] = [];
  for (let begin = 0; begin < whole.length; ) {
    let end = Math.min(begin + maxUnits, whole.length);
    if (end < whole.length && endsInside(whole, end)) end -= 1;
    pieces.push(whole.slice(begin, end));
    begin = end;
  }
  return { pieces, rest };
}

/** Whether the text up to `end` ends with the first half of a surrogate pair. */
function endsInside(text: string, end: number): boolean {
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xd800 && unit <= 0xdbff;
}
