import type { MarkReadResponse, MarkUnreadResponse } from '../../api/chat/v1/chat.ts';
import type { Call } from '../calls/repeating-calls.ts';

interface Mark {
  seq: number;
  answer: Promise<MarkReadResponse>;
}

interface Marking extends Mark {
  /** The marks that were requested while this call was under way, combined into one, with the generation known to the last of them. */
  next: (Mark & { generation: number | undefined }) | undefined;
}

/**
 * Moves read marks, with one call at a time per chat. Of the marks requested during a call, only the highest is sent next. A call names the generation that
 * the client knows, so that it does not undo a mark that another device has just moved back.
 */
export class ReadMarks {
  readonly #call: Call;
  readonly #markings = new Map<string, Marking>();
  readonly #generations = new Map<string, number>();

  constructor(call: Call) {
    this.#call = call;
  }

  /** Resolves with the answer to the call that moved the mark to `seq` or further. Throws ChatClientError. */
  mark(chatId: string, seq: number): Promise<MarkReadResponse> {
    const current = this.#markings.get(chatId);
    const generation = this.#generations.get(chatId);
    if (!current) return this.#start(chatId, seq, generation);
    if (seq <= current.seq) return current.answer;
    if (current.next) {
      current.next.seq = Math.max(current.next.seq, seq);
      current.next.generation = generation;
      return current.next.answer;
    }
    const start = () => this.#start(chatId, next.seq, next.generation);
    const next: Marking['next'] & {} = { seq, generation, answer: current.answer.catch(() => {}).then(start) };
    current.next = next;
    return next.answer;
  }

  /** Moves the mark back, after the marks that were requested before. Throws ChatClientError. */
  async moveBack(chatId: string, fromSeq: number): Promise<MarkUnreadResponse> {
    const current = this.#markings.get(chatId);
    await (current?.next ?? current)?.answer.catch(() => {});
    const answer = await this.#call('markUnread', { chatId, fromSeq });
    this.note(chatId, answer.readGeneration);
    return answer;
  }

  /** Notes a generation of a mark. */
  note(chatId: string, generation: number): void {
    this.#generations.set(chatId, Math.max(generation, this.#generations.get(chatId) ?? 0));
  }

  #start(chatId: string, seq: number, ifGeneration: number | undefined): Promise<MarkReadResponse> {
    const answer = this.#call('markRead', { chatId, seq, ifGeneration });
    const marking: Marking = { seq, answer, next: undefined };
    this.#markings.set(chatId, marking);
    const done = () => {
      if (!marking.next) this.#markings.delete(chatId);
    };
    // An event that told of a newer generation may have been missed.
    answer.then(({ readGeneration }) => this.note(chatId, readGeneration)).then(done, done);
    return answer;
  }
}
