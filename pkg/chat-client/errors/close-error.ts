import { ChatClientError } from './chat-error.ts';
import { codeOfHttpStatus } from './http-status.ts';

/** gRPC codes of the close codes that the service or a proxy sends. Source: RFC 6455, section 7.4.1, and IANA's registry of close codes */
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
 * Returns the error for a WebSocket's close code; undefined for 1000, a normal end. The service closes with 4000 plus the HTTP status of the
 * error, and with the error's reason as text. A connection that broke or was never established is UNAVAILABLE without a reason.
 */
export function closeError(closeCode: number, text: string): ChatClientError | undefined {
  if (closeCode === 1000) return undefined;
  const code = closeCode >= 4_000 ? codeOfHttpStatus(closeCode - 4_000) : (codes[closeCode] ?? 'UNAVAILABLE');
  const reason = /^[A-Z][A-Z_]*$/.test(text) ? text : '';
  const message =
    text || (closeCode === 1006 ? 'the connection broke, or could not be made' : 'the connection was closed');
  return new ChatClientError(`${message} (WebSocket code ${closeCode})`, { code, reason });
}
