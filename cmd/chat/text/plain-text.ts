/** Whole escape sequences, so that nothing of a colour or a title is left over. One that is not finished loses its beginning. */
const escapeSequences = new RegExp(
  [
    '\\x1b\\[[0-?]*[ -/]*[@-~]', // CSI
    '\\x1b\\][^\\x07\\x1b\\n]*(?:\\x07|\\x1b\\\\)', // OSC
    '\\x1b[PX^_][^\\x1b\\n]*\\x1b\\\\', // DCS, SOS, PM, APC
    '\\x1b[ -/]*[0-~]?',
  ].join('|'),
  'g',
);
const lineBreaks = /\r\n|[\n\v\f\r\x85\u2028\u2029]/g;
/** Characters that turn the direction of what follows, and other invisible ones that only disturb. */
const invisible = /[\u202a-\u202e\u2066-\u2069\u206a-\u206f\ufff9-\ufffb]/g;
const controls = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/g;
const formatCharacters = /\p{Cf}/gu;

const maxNameLength = 64;

/**
 * Text from others as it may be written to a terminal: without control characters, escape sequences and changes of direction.
 * The only control character left is `\n`. Source of the danger: CWE-150.
 */
export function plainText(text: string): string {
  return text
    .replace(escapeSequences, '')
    .replace(lineBreaks, '\n')
    .replaceAll('\t', ' ')
    .replace(invisible, '')
    .replace(controls, '\ufffd')
    .toWellFormed();
}

/** The same on one line. */
export function plainLine(text: string): string {
  return plainText(text).replaceAll('\n', ' ').trim();
}

/** A name that stands between brackets: it cannot close them, nor be invisible, nor fill the screen. */
export function plainName(name: string): string {
  const plain = plainLine(name).replace(formatCharacters, '').replaceAll('[', '(').replaceAll(']', ')').trim();
  return shorten(plain, maxNameLength) || '?';
}

/** At most so many characters; an ellipsis stands for the rest. */
export function shorten(text: string, maxLength: number): string {
  const characters = [...text];
  return characters.length <= maxLength ? text : `${characters.slice(0, maxLength - 1).join('')}…`;
}
