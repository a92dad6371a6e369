import type { Hub } from './hub.ts';

/** A chat that has readers on this node. */
export interface BusyChat {
  chatId: string;
  /** Messages and changes in a minute. */
  perMinute: number;
  /** The number of its last change. */
  lastSeq: number;
  readers: number;
}

interface Options {
  everyMs: number;
  /** Samples that are kept: the rate is that between the oldest and now. */
  samples: number;
}

/** Which chats are the busiest, of those with readers on this node: compares the numbers of their last changes. */
export class BusyChats {
  readonly #hub: Pick<Hub, 'listChats'>;
  readonly #options: Options;
  readonly #timer: NodeJS.Timeout;
  readonly #samples: { at: number; heads: Map<string, number> }[] = [];

  constructor(hub: Pick<Hub, 'listChats'>, options: Options) {
    this.#hub = hub;
    this.#options = options;
    this.#timer = setInterval(() => this.#sample(), options.everyMs);
    this.#timer.unref();
    this.#sample();
  }

  /** The busiest first. A chat that has its first reader since the oldest sample counts from the sample that first has it. */
  list(most: number): BusyChat[] {
    const now = performance.now();
    return this.#hub
      .listChats()
      .map(({ chatId, lastSeq, readers }) => {
        const first = this.#samples.find(({ heads }) => heads.has(chatId));
        const minutes = first ? Math.max((now - first.at) / 60_000, 1 / 60) : 1;
        return { chatId, perMinute: first ? (lastSeq - first.heads.get(chatId)!) / minutes : 0, lastSeq, readers };
      })
      .toSorted((a, b) => b.perMinute - a.perMinute || b.readers - a.readers)
      .slice(0, most);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const heads = new Map(this.#hub.listChats().map(({ chatId, lastSeq }) => [chatId, lastSeq]));
    this.#samples.push({ at: performance.now(), heads });
    if (this.#samples.length > this.#options.samples) this.#samples.shift();
  }
}
