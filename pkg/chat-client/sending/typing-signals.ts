import type { Stream } from '../transports/transport.ts';

/** Minimum time between two announcements for a chat, in milliseconds: half of the time for which clients consider one valid. */
const intervalMs = 3_000;

/** Announces to other members that the user is typing. */
export class TypingSignals {
  readonly #told = new Map<string, number>();

  /** Sends `typing`, at most every 3 seconds for each chat. Does nothing without a stream. */
  tell(stream: Stream | undefined, chatId: string): void {
    const now = Date.now();
    if (!stream || now - (this.#told.get(chatId) ?? 0) < intervalMs) return;
    this.#told.set(chatId, now);
    stream.send({ commandId: '', command: { $case: 'typing', value: { chatId } } });
  }
}
