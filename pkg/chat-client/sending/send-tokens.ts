import type { Receipt } from '../messages/receipt.ts';
import type { MessageStream } from './message-stream.ts';

/**
 * Writes every text of the iterable to the stream, then completes the message. If a member asks to end the message, iterates no further and ends it as
 * cancelled; so it does if the iterable throws, and then throws the same error.
 */
export async function sendTokens(
  stream: MessageStream,
  tokens: AsyncIterable<string> | Iterable<string>,
): Promise<Receipt> {
  const writer = stream.getWriter();
  try {
    for await (const token of tokens) {
      if (stream.stopRequested.aborted) break;
      await writer.write(token);
    }
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
  await (stream.stopRequested.aborted ? writer.abort() : writer.close());
  return stream.finished;
}
