import { expect } from 'vitest';
import type { ChatClientError } from '../../../pkg/chat-client/errors/chat-error.ts';

/** Expects that the call is refused with INVALID_FIELDS, and with a description of each field. Returns the fields at fault, each once. */
export async function refusedFields(call: Promise<unknown>): Promise<string[]> {
  const error: ChatClientError = await call.then(
    () => expect.unreachable('the call was not refused'),
    (refusal) => refusal,
  );
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELDS' });
  for (const { description } of error.violations) expect(description).not.toBe('');
  return [...new Set(error.violations.map(({ field }) => field))];
}
