import type { MarkReadResponse } from '../../api/chat/v1/chat.ts';
import type { Call } from '../calls/repeating-calls.ts';

interface Mark {
  seq: number;
  answer: Promise<MarkReadResponse>;
}

interface Marking extends Mark {
  /** What was asked for meanwhile, and goes as one call. */
  next: Mark | undefined;
}

/** Moves read marks: one call at a time for each chat; of those that are asked for meanwhile the furthest goes next. */
export class ReadMarks {
  readonly #call: Call;
  readonly #markings = new Map<string, Marking>();

  constructor(call: Call) {
    this.#call = call;
  }

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
