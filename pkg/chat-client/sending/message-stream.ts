import { FinishOutcome } from '../../api/chat/v1/chat.ts';
import type { ChatClientError } from '../errors/chat-error.ts';
import type { Receipt } from '../messages/receipt.ts';
import type { StreamCommand } from './stream-sender.ts';
import { toParts } from './to-parts.ts';

/** Parts that may have no answer; with more, `write` waits. */
const maxUnanswered = 128;

interface Deps {
  chatId: string;
  clientMessageId: string;
  /** The beginning of the text. */
  text: string;
  /** The largest frame that the service accepts, in bytes; 0 if it has not said it yet. */
  maxFrameBytes: () => number;
  perform: (command: StreamCommand) => Promise<Receipt>;
  /** Calls the listener when a member asks to end the message. Returns a function that removes it. */
  onStopRequested: (listener: (event: { messageId: string }) => void) => () => void;
}

/**
 * A message whose text is written piece by piece, while others read it. `ChatClient.stream` creates it. It is a `WritableStream` of strings: closing it
 * completes the message, aborting it ends the message as cancelled and keeps its text. The pieces survive reconnections, in order, each once.
 *
 * `write` and `close` reject with ChatClientError if the service refuses a piece permanently, for example FAILED_PRECONDITION (MESSAGE_DELETED,
 * NOT_STREAMING), or if the client is closed. `close` waits until everything is stored durably.
 */
export class MessageStream extends WritableStream<string> {
  /** Resolves once the message has begun: readers see it. */
  readonly started: Promise<Receipt>;
  /** Resolves once the message has ended, with the number of the end. It rejects if the message could not be ended. */
  readonly finished: Promise<Receipt>;
  /** Aborts when a member asks to end the message. What is to follow is up to the writer. */
  readonly stopRequested: AbortSignal;

  constructor({ chatId, clientMessageId, text, maxFrameBytes, perform, onStopRequested }: Deps) {
    const stop = new AbortController();
    const finished = Promise.withResolvers<Receipt>();
    // A writer that does not look at it has the errors of its writes.
    finished.promise.catch(() => {});
    const first = toParts(text, maxFrameBytes());
    const [beginning = '', ...others] = first.pieces;
    const started = perform({ $case: 'startMessage', value: { chatId, clientMessageId, text: beginning } });
    started.catch((error: ChatClientError) => finished.reject(error));
    let removeListener = () => {};
    void started.then(
      ({ messageId }) => {
        removeListener = onStopRequested((event) => event.messageId === messageId && stop.abort());
      },
      () => {},
    );
    const unanswered = new Set<Promise<unknown>>();
    let failure: unknown;
    let lastPart = 0;
    let held = first.rest;
    const append = async (pieces: readonly string[]) => {
      const { messageId } = await started;
      for (const piece of pieces) {
        lastPart += 1;
        const value = { chatId, messageId, part: lastPart, text: piece };
        const answer: Promise<unknown> = perform({ $case: 'appendMessage', value })
          .catch((error) => {
            failure ??= error;
          })
          .finally(() => unanswered.delete(answer));
        unanswered.add(answer);
        if (unanswered.size >= maxUnanswered) await Promise.race(unanswered);
      }
      if (failure !== undefined) {
        // The stream is broken then, and nobody can close it.
        await finish(FinishOutcome.CANCELLED);
      }
    };
    const finish = async (outcome: FinishOutcome) => {
      try {
        const { messageId } = await started;
        // A part that the service refuses for some time must not come after the end.
        await Promise.all(unanswered);
        // A text that lacks a part is not complete, and its readers must not wait for more.
        const value = { chatId, messageId, outcome: failure === undefined ? outcome : FinishOutcome.CANCELLED };
        const ended = perform({ $case: 'finishMessage', value });
        if (failure === undefined) return finished.resolve(await ended);
        // What is refused for good says so once more.
        await ended.catch(() => {});
        throw failure;
      } catch (error) {
        finished.reject(error as ChatClientError);
        throw error;
      } finally {
        removeListener();
      }
    };
    super({
      // What did not fit into the first command goes before what is written.
      start: () => append(others),
      write(chunk) {
        const { pieces, rest } = toParts(held + chunk, maxFrameBytes());
        held = rest;
        return append(pieces);
      },
      async close() {
        const { pieces, rest } = toParts(held, maxFrameBytes());
        await append(rest ? [...pieces, rest] : pieces);
        await finish(FinishOutcome.COMPLETE);
      },
      abort: () => finish(FinishOutcome.CANCELLED),
    });
    this.started = started;
    this.finished = finished.promise;
    this.stopRequested = stop.signal;
  }
}
