import type { StreamReceipt } from '../../model/stream-write.ts';
import type { TraceContext } from '../../model/trace-context.ts';
import type { User } from '../../model/user.ts';
import { TextTooLong } from './text-too-long.ts';

interface Target {
  chatId: string;
  messageId: string;
  actor: User;
  asService: boolean;
}

/** A part of a streamed message that is not committed yet. */
export interface NewPart extends Target {
  /** 1, 2, 3, … */
  part: number;
  text: string;
  trace?: TraceContext;
}

/** Parts of one message that follow each other. */
export interface PartsFlush extends Target {
  firstPart: number;
  texts: readonly string[];
  trace?: TraceContext;
}

/** Parts that wait to be flushed together, with the answer of each. */
interface Waiting {
  flush: PartsFlush & { texts: string[] };
  answers: PromiseWithResolvers<StreamReceipt>[];
}

/** One message whose parts arrive here. */
interface OpenMessage {
  waiting?: Waiting | undefined;
  /** Flushes that are being committed. */
  flying: number;
  /** Runs until the next flush may begin. */
  pause: NodeJS.Timeout | undefined;
}

/**
 * Collects the parts of streamed messages into flushes. The first part of a message is flushed at once. What arrives in the `flushMs` after a flush, or
 * while one is being committed, is flushed together. A part is answered when its flush is committed.
 */
export class PartFlushes {
  readonly #write: (flush: PartsFlush) => Promise<StreamReceipt>;
  readonly #flushMs: number;
  readonly #open = new Map<string, OpenMessage>();

  /** `write` commits a flush. Flushes of one message are committed in the order of the calls. */
  constructor(write: (flush: PartsFlush) => Promise<StreamReceipt>, flushMs: number) {
    this.#write = write;
    this.#flushMs = flushMs;
  }

  /** Throws what `write` throws. */
  append({ part, text, ...target }: NewPart): Promise<StreamReceipt> {
    const key = keyOf(target);
    let open = this.#open.get(key);
    if (!open) {
      open = { flying: 0, pause: undefined };
      this.#open.set(key, open);
    }
    const index = open.waiting ? part - open.waiting.flush.firstPart : 0;
    const repeated = open.waiting?.answers[index];
    if (repeated) return repeated.promise;
    // If it does not follow, the database says what is wrong, or that it is a repetition.
    if (index !== (open.waiting?.answers.length ?? 0)) this.#flush(key, open);
    open.waiting ??= { flush: { ...target, firstPart: part, texts: [] }, answers: [] };
    const answer = Promise.withResolvers<StreamReceipt>();
    open.waiting.flush.texts.push(text);
    open.waiting.answers.push(answer);
    if (open.flying === 0 && !open.pause) this.#flush(key, open);
    return answer.promise;
  }

  /** Flushes what waits of a message. */
  flush(target: Target): void {
    const key = keyOf(target);
    const open = this.#open.get(key);
    if (open) this.#flush(key, open);
  }

  /** Flushes everything. */
  async drain(): Promise<void> {
    const flushed = [...this.#open].map(([key, open]) => {
      const answers = open.waiting?.answers.map(({ promise }) => promise) ?? [];
      this.#flush(key, open);
      clearTimeout(open.pause);
      return answers;
    });
    await Promise.allSettled(flushed.flat());
  }

  #flush(key: string, open: OpenMessage): void {
    const { waiting } = open;
    if (!waiting) return;
    open.waiting = undefined;
    open.flying += 1;
    clearTimeout(open.pause);
    open.pause = setTimeout(() => {
      open.pause = undefined;
      this.#flushOrForget(key, open);
    }, this.#flushMs);
    void this.#commit(waiting).finally(() => {
      open.flying -= 1;
      this.#flushOrForget(key, open);
    });
  }

  /** Goes on after a pause and after a commit: whichever is later. */
  #flushOrForget(key: string, open: OpenMessage): void {
    if (open.pause || open.flying > 0) return;
    if (open.waiting) this.#flush(key, open);
    else this.#open.delete(key);
  }

  /** Commits and answers. Never throws. */
  async #commit({ flush, answers }: Waiting): Promise<void> {
    try {
      const receipt = await this.#write(flush);
      for (const { resolve } of answers) resolve(receipt);
    } catch (error) {
      if (error instanceof TextTooLong && answers.length > 1) return this.#commitOneByOne({ flush, answers });
      for (const { reject } of answers) reject(error);
    }
  }

  /** Some of the parts may fit, as they would if they had come alone. */
  async #commitOneByOne({ flush, answers }: Waiting): Promise<void> {
    for (const [i, answer] of answers.entries()) {
      const part = { ...flush, firstPart: flush.firstPart + i, texts: flush.texts.slice(i, i + 1) };
      await this.#write(part).then(answer.resolve, answer.reject);
    }
  }
}

function keyOf({ chatId, messageId, actor, asService }: Target): string {
  return `${chatId} ${messageId} ${asService} ${actor.id}`;
}
