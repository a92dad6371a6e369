import { expect } from 'vitest';
import type { ChatClientError } from '../../../pkg/chat-client/errors/chat-error.ts';

/** Expects INVALID_ARGUMENT (INVALID_FIELDS) and returns the fields at fault, each once, each with something said about it. */
export async function refusedFields(call: Promise<unknown>): Promise<string[]> {
  const error: ChatClientError = await call.then(
    () => expect.unreachable('the call was not refused'),
    (refusal) => refusal,
  );
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELDS' });
  for (const { description } of error.violations) expect(description).not.toBe('');
  return [...new Set(error.violations.map(({ field }) => field))];
}
