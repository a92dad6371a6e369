/** An error that a method can return, as its comment describes it. */
export interface ErrorNote {
  /** The gRPC name of the code, such as `NOT_FOUND`. */
  code: string;
  /** The reasons that share the explanation, such as `CHAT_NOT_FOUND`. */
  reasons: string[];
  /** When the error occurs; may be empty. */
  text: string;
}

export interface MethodComment {
  /** The first sentence as plain text, without its full stop. */
  summary: string;
  /** The comment without the first sentence and the errors, in Markdown. */
  description: string;
  errors: ErrorNote[];
}

/** The gRPC codes, indexed by number. Source: google/rpc/code.proto */
export const codeNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** Matches `NOT_FOUND (CHAT_NOT_FOUND)` with the colon or full stop behind it. */
const errorPattern = new RegExp(String.raw`(?<=^|[.;] )(${codeNames.join('|')}) \(([A-Z][A-Z0-9_, ]*)\)[:.]?`, 'g');

/**
 * Reads a method's comment. A line that begins like `NOT_FOUND (CHAT_NOT_FOUND): …` starts the errors, which last to the end of the
 * paragraph.
 */
export function readMethodComment(comment: string): MethodComment {
  const errors: ErrorNote[] = [];
  const paragraphs: string[] = [];
  for (const paragraph of comment.split(/\n\n+/)) {
    const lines = paragraph.split('\n');
    const begin = lines.findIndex((line) => line.search(errorPattern) === 0);
    const prose = begin < 0 ? lines : lines.slice(0, begin);
    if (prose.length > 0) paragraphs.push(prose.join('\n'));
    if (begin >= 0) errors.push(...readErrors(lines.slice(begin).join(' ')));
  }
  const [first = '', ...others] = paragraphs;
  const [summary, rest] = splitSentence(first);
  return { summary: summary.replaceAll('`', ''), description: [rest, ...others].filter(Boolean).join('\n\n'), errors };
}

function readErrors(text: string): ErrorNote[] {
  const found = [...text.matchAll(errorPattern)];
  return found.map(({ 0: whole, 1: code = '', 2: reasons = '', index }, i) => ({
    code,
    reasons: reasons.split(/, */),
    text: text.slice(index + whole.length, found[i + 1]?.index).trim(),
  }));
}

function splitSentence(paragraph: string): [string, string] {
  const text = paragraph.replace(/\s+/g, ' ');
  const end = /\.(?= [^a-z])|\.$/.exec(text)?.index;
  return end === undefined ? [text, ''] : [text.slice(0, end), text.slice(end + 1).trim()];
}
