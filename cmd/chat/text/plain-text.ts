/** Matches whole escape sequences, so that no part of a colour or title remains; of an unfinished one, its beginning. */
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
/** Characters that change the direction of text, and other invisible ones. */
const invisible = /[\u202a-\u202e\u2066-\u2069\u206a-\u206f\ufff9-\ufffb]/g;
const controls = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/g;
const formatCharacters = /\p{Cf}/gu;

const maxNameLength = 64;

/**
 * Makes text from others safe for a terminal: removes escape sequences, changes of direction, and all control characters but `\n`.
 * The danger is CWE-150.
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

/** The same, on one line. */
export function plainLine(text: string): string {
  return plainText(text).replaceAll('\n', ' ').trim();
}

/** A name to print in brackets: it cannot close the brackets, be invisible or fill the screen. */
export function plainName(name: string): string {
  const plain = plainLine(name).replace(formatCharacters, '').replaceAll('[', '(').replaceAll(']', ')').trim();
  return shorten(plain, maxNameLength) || '?';
}

/** Cuts a text to a number of characters; an ellipsis replaces the rest. */
export function shorten(text: string, maxLength: number): string {
  const characters = [...text];
  return characters.length <= maxLength ? text : `${characters.slice(0, maxLength - 1).join('')}…`;
}
