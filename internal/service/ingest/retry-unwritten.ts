import { ChatError } from '../../model/errors.ts';
import type { UnwrittenMessages } from './unwritten-messages.ts';

export type Unwritten = Pick<UnwrittenMessages, 'settle'>;

/**
 * Changes a message that may be accepted and not written yet (`INGEST=jetstream`; `unwritten` is absent otherwise). If the message is not found, waits
 * until it is written and tries again. Throws what `change` throws, or UNAVAILABLE (STORAGE_UNAVAILABLE) if that takes too long.
 */
export async function retryUnwritten<T>(
  unwritten: Unwritten | undefined,
  { chatId, messageId }: { chatId: string; messageId: string },
  change: () => Promise<T>,
): Promise<T> {
  try {
    return await change();
  } catch (error) {
    const isOther = !(error instanceof ChatError) || error.reason !== 'MESSAGE_NOT_FOUND';
    if (!unwritten || isOther || !isAcceptedId(messageId)) throw error;
    // If it still cannot be found afterwards, it never will be.
    if (await unwritten.settle(chatId).catch(() => false)) return await change();
    throw new ChatError('STORAGE_UNAVAILABLE', 'the message is not written yet', { retryAfterMs: 500 });
  }
}

/** Whether the id is one that `INGEST=jetstream` gives: a UUID of version 8. */
function isAcceptedId(id: string): boolean {
  return id[14] === '8';
}
