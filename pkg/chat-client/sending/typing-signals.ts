import type { Stream } from '../transports/transport.ts';

/** How often others are told at most, in milliseconds: twice in the time that they take it to hold. */
const intervalMs = 3_000;

/** Tells others that the user is typing, now and then. */
export class TypingSignals {
  readonly #told = new Map<string, number>();

  /** May be called at each keystroke. */
  tell(stream: Stream | undefined, chatId: string): void {
    const now = Date.now();
    if (!stream || now - (this.#told.get(chatId) ?? 0) < intervalMs) return;
    this.#told.set(chatId, now);
    stream.send({ commandId: '', command: { $case: 'typing', value: { chatId } } });
  }
}
