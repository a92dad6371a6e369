import { ChatClientError } from './chat-error.ts';
import { codeOfHttpStatus } from './http-status.ts';

/** Of RFC 6455, section 7.4.1, and IANA's registry, those that the service or a proxy ends a WebSocket with. */
const codes: Readonly<Record<number, string>> = {
  1001: 'UNAVAILABLE',
  1002: 'INTERNAL',
  1003: 'INVALID_ARGUMENT',
  1007: 'INVALID_ARGUMENT',
  1009: 'RESOURCE_EXHAUSTED',
  1011: 'INTERNAL',
  1012: 'UNAVAILABLE',
  1013: 'UNAVAILABLE',
  1014: 'UNAVAILABLE',
};

/**
 * The error that a WebSocket was closed with, undefined if it ended well. From 4000 on the code is 4000 and the HTTP status; the text is the
 * service's reason. A connection that broke, or never came about, is UNAVAILABLE without a reason.
 */
export function closeError(closeCode: number, text: string): ChatClientError | undefined {
  if (closeCode === 1000) return undefined;
  const code = closeCode >= 4_000 ? codeOfHttpStatus(closeCode - 4_000) : (codes[closeCode] ?? 'UNAVAILABLE');
  const reason = /^[A-Z][A-Z_]*$/.test(text) ? text : '';
  const message =
    text || (closeCode === 1006 ? 'the connection broke, or could not be made' : 'the connection was closed');
  return new ChatClientError(`${message} (WebSocket code ${closeCode})`, { code, reason });
}
