import type { Figures, Verdict } from './verdict.ts';
import { type Report, type Violation, type ViolationKind, violationKinds } from './violation.ts';

/** How many violations of each kind are kept with their records. */
const keptOfKind = 5;

/** Collects violations. */
export class Findings {
  readonly #violations: Violation[] = [];
  readonly #counts: Partial<Record<ViolationKind, number>> = {};

  readonly report: Report = (kind, text, records, chatId) => {
    const count = (this.#counts[kind] ?? 0) + 1;
    this.#counts[kind] = count;
    if (count > keptOfKind) return;
    const { promise } = violationKinds[kind];
    this.#violations.push({ kind, promise, chatId, text, records: [...new Set(records)] });
  };

  verdict(figures: Omit<Figures, 'lost' | 'doubled' | 'reordered'>): Verdict {
    const sum = (...kinds: ViolationKind[]) => kinds.reduce((total, kind) => total + (this.#counts[kind] ?? 0), 0);
    return {
      ok: this.#violations.length === 0,
      violations: this.#violations,
      counts: this.#counts,
      figures: {
        ...figures,
        lost: sum('lost', 'hole', 'silent', 'gap', 'stale', 'lost-change'),
        doubled: sum('doubled', 'repeated', 'retry-differs', 'two-of-one'),
        reordered: sum('reordered', 'clash'),
      },
    };
  }
}
