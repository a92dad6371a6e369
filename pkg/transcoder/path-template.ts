/** One segment of a path: a literal (percent-decoded), `*` (one segment) or `**` (any number of them, also none). */
export type PathSegment = { kind: 'literal'; text: string } | { kind: 'any' } | { kind: 'rest' };

/** A variable of a template: a request field that takes its value from the path. */
export interface PathVariable {
  /** The field path as written: `chat_id`, `book.name`. */
  fieldPath: string;
  /** The variable's segments are `segments.slice(start, end)`. */
  start: number;
  end: number;
  /** Whether the variable has several segments or `**`, so that its value can hold slashes. */
  multiSegment: boolean;
}

export interface PathTemplate {
  /** The template as written. */
  source: string;
  segments: readonly PathSegment[];
  variables: readonly PathVariable[];
  /** The verb behind the colon, percent-decoded; empty if there is none. */
  verb: string;
}

/**
 * Parses a path template of `google.api.http`, such as `/v1/{name=shelves/*}/books/{book_id}:verb`, by the grammar in
 * google/api/http.proto. Throws an Error that names the template and the fault; it also refuses a field that is bound twice.
 */
export function parsePathTemplate(source: string): PathTemplate {
  try {
    return parse(source);
  } catch (error) {
    throw new Error(`path template ${JSON.stringify(source)}: ${(error as Error).message}`, { cause: error });
  }
}

function parse(source: string): PathTemplate {
  if (!source.startsWith('/')) throw new Error('it must start with "/"');
  const colon = source.indexOf(':', Math.max(source.lastIndexOf('/'), source.lastIndexOf('}')));
  const path = source.slice(1, colon < 0 ? undefined : colon);
  const verb = colon < 0 ? '' : parseLiteral(source.slice(colon + 1));
  const segments: PathSegment[] = [];
  const variables: PathVariable[] = [];
  for (const part of path.split(/\/(?![^{]*\})/)) {
    const { fieldPath, pattern } = parseVariable(part);
    const start = segments.length;
    segments.push(...pattern.map(parseSegment));
    if (fieldPath === undefined) continue;
    if (variables.some((variable) => variable.fieldPath === fieldPath)) throw new Error(`${fieldPath} is bound twice`);
    const multiSegment = pattern.length > 1 || pattern[0] === '**';
    variables.push({ fieldPath, start, end: segments.length, multiSegment });
  }
  if (segments.slice(0, -1).some(({ kind }) => kind === 'rest')) throw new Error('"**" must be the last segment');
  return { source, segments, variables, verb };
}

/** The text between two slashes outside of braces: a variable with its pattern, or a single segment. */
function parseVariable(part: string): { fieldPath?: string; pattern: string[] } {
  if (!/[{}]/.test(part)) return { pattern: [part] };
  const [, fieldPath = '', pattern = '*'] = /^\{([^{}=]*)(?:=([^{}]*))?\}$/.exec(part) ?? [];
  if (!fieldPathPattern.test(fieldPath)) throw new Error(`${JSON.stringify(part)} is no variable`);
  return { fieldPath, pattern: pattern.split('/') };
}

const fieldPathPattern = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;

function parseSegment(text: string): PathSegment {
  if (text === '*') return { kind: 'any' };
  if (text === '**') return { kind: 'rest' };
  return { kind: 'literal', text: parseLiteral(text) };
}

/** The characters of a segment by RFC 3986, without `*`, and without the colon that begins the verb. */
const literalPattern = /^(?:[A-Za-z0-9\-._~!$&'()+,;@]|%[0-9A-Fa-f]{2})+$/;

function parseLiteral(text: string): string {
  if (text === '') throw new Error('a segment or verb is empty');
  if (!literalPattern.test(text)) throw new Error(`${JSON.stringify(text)} is no literal: percent-encode it`);
  return decodeURIComponent(text);
}
