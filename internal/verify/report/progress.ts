import type { HistoryRecord } from '../history/history-record.ts';

/** Prints the progress of a run every few seconds. */
export class Progress {
  #operations = 0;
  #acknowledged = 0;
  #delivered = 0;
  #lost = 0;
  readonly #begin = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(print: (line: string) => void, everyMs = 5_000) {
    this.#timer = setInterval(() => print(this.#line()), everyMs);
  }

  add(record: HistoryRecord): void {
    if (record.kind === 'send' || record.kind === 'change' || record.kind === 'call') this.#operations += 1;
    if (record.kind === 'send' && record.outcome === 'ok') this.#acknowledged += 1;
    if (record.kind === 'message') this.#delivered += 1;
    if (record.kind === 'close' && record.why === 'lost') this.#lost += 1;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #line(): string {
    const seconds = Math.round((performance.now() - this.#begin) / 1_000);
    return `${seconds} s: ${this.#operations} operations, ${this.#acknowledged} acknowledged, ${this.#delivered} received by readers, ${this.#lost} readers cut off`;
  }
}
