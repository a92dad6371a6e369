import type { MarkReadResponse } from '../../api/chat/v1/chat.ts';
import type { Call } from '../calls/repeating-calls.ts';

interface Mark {
  seq: number;
  answer: Promise<MarkReadResponse>;
}

interface Marking extends Mark {
  /** The marks that were requested while this call was under way, combined into one. */
  next: Mark | undefined;
}

/** Moves read marks, with one call at a time per chat. Of the marks requested during a call, only the highest is sent next. */
export class ReadMarks {
  readonly #call: Call;
  readonly #markings = new Map<string, Marking>();

  constructor(call: Call) {
    this.#call = call;
  }

  /** Resolves with the answer to the call that moved the mark to `seq` or further. Throws ChatClientError. */
  mark(chatId: string, seq: number): Promise<MarkReadResponse> {
    const current = this.#markings.get(chatId);
    if (!current) return this.#start(chatId, seq);
    if (seq <= current.seq) return current.answer;
    if (current.next) {
      current.next.seq = Math.max(current.next.seq, seq);
      return current.next.answer;
    }
    const next: Mark = { seq, answer: current.answer.catch(() => {}).then(() => this.#start(chatId, next.seq)) };
    current.next = next;
    return next.answer;
  }

  #start(chatId: string, seq: number): Promise<MarkReadResponse> {
    const answer = this.#call('markRead', { chatId, seq });
    const marking: Marking = { seq, answer, next: undefined };
    this.#markings.set(chatId, marking);
    const done = () => {
      if (!marking.next) this.#markings.delete(chatId);
    };
    answer.then(done, done);
    return answer;
  }
}
