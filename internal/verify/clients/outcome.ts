import { toChatClientError } from '../../../pkg/chat-client/errors/chat-error.ts';
import type { Outcome } from '../history/history-record.ts';

/** The error codes that say that the service has changed nothing. */
const definite = new Set([
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'OUT_OF_RANGE',
  'ABORTED',
  'UNIMPLEMENTED',
]);

/** What an error says about the outcome of the operation that threw it. */
export function outcomeOf(thrown: unknown): { outcome: Outcome; code: string; reason: string } {
  const { code, reason } = toChatClientError(thrown);
  return { outcome: definite.has(code) ? 'refused' : 'unknown', code, reason };
}
