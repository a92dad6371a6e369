import type { Message } from '../../../pkg/chat-client/index.ts';

/**
 * Prints changes of messages, each after its message. While the output is slow, the changes of one message are combined to the newest state.
 */
export class ShownChanges {
  readonly #print: (message: Message) => Promise<void>;
  /** Newest states that are not printed yet, by message id. */
  readonly #waiting = new Map<string, Message>();
  /** Messages up to this number have been printed, or will not be. */
  #shownSeq = -1;
  /** Never rejects. */
  #printing: Promise<void> | undefined;
  /** Why printing has ended. */
  #failure: { error: unknown } | undefined;

  constructor(print: (message: Message) => Promise<void>) {
    this.#print = print;
  }

  /** Takes the state after a change. */
  add(message: Message): void {
    if ((this.#waiting.get(message.id)?.updateSeq ?? 0) >= message.updateSeq) return;
    this.#waiting.set(message.id, message);
    this.#start();
  }

  /** Handles that no message up to `seq` is going to be printed any more. Resolves when their changes are printed. Throws what printing threw. */
  async reached(seq: number, printed?: Message): Promise<void> {
    this.#shownSeq = seq;
    if (printed && (this.#waiting.get(printed.id)?.updateSeq ?? 0) <= printed.updateSeq)
      this.#waiting.delete(printed.id);
    this.#start();
    await this.#printing;
    if (this.#failure) throw this.#failure.error;
  }

  #start(): void {
    if (!this.#printing && !this.#failure && this.#next()) this.#printing = this.#printAll();
  }

  async #printAll(): Promise<void> {
    try {
      for (let next = this.#next(); next; next = this.#next()) {
        this.#waiting.delete(next.id);
        await this.#print(next);
      }
    } catch (error) {
      this.#failure = { error };
    }
    this.#printing = undefined;
  }

  #next(): Message | undefined {
    return this.#waiting.values().find(({ seq }) => seq <= this.#shownSeq);
  }
}
