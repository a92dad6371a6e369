import { ChatClientError } from '../errors/chat-error.ts';

/**
 * Distributes the fields of a request's JSON over path, query and body. Throws INVALID_ARGUMENT (INVALID_FIELDS) for a path field that is
 * empty, `.` or `..`, because the URL would then name another resource.
 */
export function toHttp(
  route: { path: string; body: boolean },
  json: Record<string, unknown>,
): { path: string; body?: string } {
  const rest = { ...json };
  const path = route.path.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = String(rest[name] ?? '');
    if (['', '.', '..'].includes(value)) throw unfit(name, value);
    delete rest[name];
    return encodeURIComponent(value);
  });
  if (route.body) return { path, body: JSON.stringify(rest) };
  const query = new URLSearchParams(
    Object.entries(rest).flatMap(([name, value]) => [value].flat().map((item) => [name, String(item)])),
  ).toString();
  return { path: query ? `${path}?${query}` : path };
}

function unfit(name: string, value: string): ChatClientError {
  const field = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const description = value === '' ? 'must not be empty: it is a part of the path' : 'cannot be a part of a path';
  const details = { code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELDS', violations: [{ field, description }] };
  return new ChatClientError(`${field} ${description}`, details);
}
