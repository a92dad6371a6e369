import type { HistoryRecord, Outcome } from '../history/history-record.ts';
import type { Figures } from './verdict.ts';

/** Counts operations, readers, deliveries and faults. */
export class Tally {
  readonly #byName: Figures['byName'] = {};
  readonly #resumesMs: number[] = [];
  #seed = 0;
  #first: number | undefined;
  #last = 0;
  #operations = 0;
  #readers = 0;
  #delivered = 0;
  #faults = 0;
  #longestDelayMs = 0;

  add(record: HistoryRecord): void {
    this.#first ??= record.at;
    this.#last = record.at;
    if (record.kind === 'run') this.#seed = record.seed;
    else if (record.kind === 'send') this.#operation(`send by ${record.via}`, record.outcome);
    else if (record.kind === 'change') this.#operation(`${record.what} by ${record.via}`, record.outcome);
    else if (record.kind === 'react')
      this.#operation(`${record.added ? 'react' : 'unreact'} by ${record.via}`, record.outcome);
    else if (record.kind === 'stream')
      this.#operation(`${record.part ? 'append' : 'finish'} by ${record.via}`, record.outcome);
    else if (record.kind === 'call') this.#operation(record.name, record.outcome);
    else if (record.kind === 'open') this.#readers += 1;
    else if (record.kind === 'message' || record.kind === 'reaction') this.#delivered += 1;
    else if (record.kind === 'fault' || record.kind === 'epoch') this.#faults += 1;
    else if (record.kind === 'close' && record.why === 'lost') this.#faults += 1;
    else if (record.kind === 'resumed') this.#resumesMs.push(record.at - record.begin);
  }

  /** Notes the time between the first sign of a message and its arrival at a live reader. */
  delayed(delayMs: number): void {
    this.#longestDelayMs = Math.max(this.#longestDelayMs, delayMs);
  }

  figures() {
    const sorted = this.#resumesMs.sort((a, b) => a - b);
    const percentile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      seed: this.#seed,
      durationMs: this.#last - (this.#first ?? 0),
      operations: this.#operations,
      byName: this.#byName,
      readers: this.#readers,
      delivered: this.#delivered,
      faults: this.#faults,
      longestDelayMs: this.#longestDelayMs,
      resumes: sorted.length,
      resumeP50Ms: percentile(0.5),
      resumeP99Ms: percentile(0.99),
    };
  }

  #operation(name: string, outcome: Outcome): void {
    this.#operations += 1;
    this.#byName[name] ??= { ok: 0, refused: 0, unknown: 0 };
    this.#byName[name][outcome] += 1;
  }
}
