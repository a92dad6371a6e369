/** The most UTF-16 code units of a part. */
const mostUnits = 16_384;
/** The bytes of a frame with one part besides its text, and the most bytes of a code unit in JSON (`\u0007`). */
const frameBytes = 512;
const bytesPerUnit = 6;

/**
 * Cuts a text into parts of whole characters, each of which fits into a frame of `maxFrameBytes` in any encoding. `rest` is the first half of a character whose second half has not come yet: tokens of a language model may end
 * in the middle of an emoji.
 */
export function toParts(text: string, maxFrameBytes = 0): { pieces: string[]; rest: string } {
  const fitting = Math.max(2, Math.floor((maxFrameBytes - frameBytes) / bytesPerUnit));
  const maxUnits = maxFrameBytes > 0 ? Math.min(mostUnits, fitting) : mostUnits;
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
