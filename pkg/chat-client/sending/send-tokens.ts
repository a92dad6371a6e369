import type { Receipt } from '../messages/receipt.ts';
import type { MessageStream } from './message-stream.ts';

/** Texts that are made one after the other. A function gets a signal that aborts when a member asks to end the message. */
export type Tokens = Texts | ((stop: AbortSignal) => Texts);

type Texts = AsyncIterable<string> | Iterable<string>;

/**
 * Writes every text of the iterable to the stream, then completes the message. If a member asks to end the message, iterates no further and ends it as
 * cancelled, even if the next text never comes; so it does if the iterable throws, and then throws the same error.
 */
export async function sendTokens(stream: MessageStream, tokens: Tokens): Promise<Receipt> {
  const writer = stream.getWriter();
  const { stopRequested } = stream;
  const stopped = new Promise<undefined>((resolve) => {
    stopRequested.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  let iterator: ReturnType<typeof iteratorOf> | undefined;
  try {
    iterator = iteratorOf(typeof tokens === 'function' ? tokens(stopRequested) : tokens);
    for (;;) {
      const next = await Promise.race([iterator.next(), stopped]);
      if (next === undefined || next.done || stopRequested.aborted) break;
      await writer.write(next.value);
    }
  } catch (error) {
    void leave(iterator);
    await writer.abort(error).catch(() => {});
    // What was asked to stop may say so by throwing.
    if (stopRequested.aborted) return stream.finished;
    throw error;
  }
  if (stopRequested.aborted) void leave(iterator);
  await (stopRequested.aborted ? writer.abort() : writer.close());
  return stream.finished;
}

function iteratorOf(texts: Texts): AsyncIterator<string> | Iterator<string> {
  return Symbol.asyncIterator in texts ? texts[Symbol.asyncIterator]() : texts[Symbol.iterator]();
}

/** Lets the iterator release what it holds. It may be in the middle of waiting for a text that never comes, so nobody waits for it. */
async function leave(iterator: AsyncIterator<string> | Iterator<string> | undefined): Promise<void> {
  try {
    await iterator?.return?.();
  } catch {
    // The writer has an error or an end already.
  }
}
