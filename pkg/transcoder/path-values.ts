import type { PathTemplate, PathVariable } from './path-template.ts';

/** Returns a path segment, percent-decoded. Throws URIError if it is not encoded correctly. */
export function decodeSegment(raw: string): string {
  return raw.includes('%') ? decodeURIComponent(raw) : raw;
}

/**
 * Returns the values of a template's variables in a matching path, which is given as raw segments without the verb.
 *
 * A variable of one segment is decoded completely. In a variable of several segments `%2F` stays encoded, to distinguish it from a
 * slash between segments (google/api/http.proto, "Path template syntax").
 */
export function pathValues({ segments, variables }: PathTemplate, path: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const { fieldPath, start, end, multiSegment } of variables) {
    if (!multiSegment) {
      values.set(fieldPath, decodeSegment(path[start]!));
      continue;
    }
    const takesRest = segments[end - 1]?.kind === 'rest';
    values.set(
      fieldPath,
      path
        .slice(start, takesRest ? undefined : end)
        .map(decodeButSlash)
        .join('/'),
    );
  }
  return values;
}

function decodeButSlash(raw: string): string {
  return raw
    .split(/(%2F)/i)
    .map((part, index) => (index % 2 ? part : decodeSegment(part)))
    .join('');
}

/**
 * Returns the percent-encoded path with these values: the inverse of matching. `fieldText` returns the text of a field path.
 *
 * Throws an Error if a value does not match its variable: an empty value for a segment, or one without the variable's literals.
 */
export function expandPath(template: PathTemplate, fieldText: (fieldPath: string) => string): string {
  const path: string[] = [];
  for (let at = 0; at < template.segments.length; ) {
    const variable = template.variables.find(({ start }) => start === at);
    const segment = template.segments[at]!;
    if (variable) path.push(...expandVariable(template, variable, fieldText(variable.fieldPath)));
    else if (segment.kind === 'literal') path.push(encodeURIComponent(segment.text));
    else if (segment.kind === 'any') throw new Error(`${template.source} has a wildcard without a field`);
    at = variable?.end ?? at + 1;
  }
  const verb = template.verb && `:${encodeURIComponent(template.verb)}`;
  return `/${path.join('/')}${verb}`;
}

function expandVariable(template: PathTemplate, variable: PathVariable, value: string): string[] {
  const pattern = template.segments.slice(variable.start, variable.end);
  const takesRest = pattern.at(-1)?.kind === 'rest';
  const parts = !variable.multiSegment ? [value] : takesRest && value === '' ? [] : value.split('/');
  const fits =
    (takesRest ? parts.length >= pattern.length - 1 : parts.length === pattern.length) &&
    parts.every((part, index) => {
      const segment = pattern[index];
      return part !== '' && (segment?.kind !== 'literal' || segment.text === part);
    });
  if (!fits) throw new Error(`${JSON.stringify(value)} does not fit ${variable.fieldPath} in ${template.source}`);
  return parts.map(encodeSegment);
}

/** All characters except the unreserved ones of RFC 3986. Source: google/api/http.proto */
function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
