import type { HistoryRecord, Outcome } from '../history/history-record.ts';
import type { Report } from './violation.ts';

interface Change {
  begin: number;
  end: number;
  /** Whether it is known to have happened. */
  sure: boolean;
  record: HistoryRecord;
}

/** Something that only somebody with the right can do, done at some time from `begin` to `end`. */
export interface Use {
  right: string;
  begin: number;
  end: number;
  record: HistoryRecord;
  /** How long after the end of the right it may still be, in milliseconds. */
  graceMs: number;
}

/**
 * Who has which right when, as far as the order in real time tells. A use is wrong when no grant can have been in force: every one that may have
 * been carried out was surely withdrawn before the use began. It accuses nobody who may be innocent. Changes must be told in the order in which
 * they ended, and each before the uses that began later.
 */
export class Rights {
  readonly #grants = new Map<string, Change[]>();
  readonly #withdrawals = new Map<string, Change[]>();
  /** Those that only a grant under way can still excuse. */
  readonly #suspects: Use[] = [];
  readonly #denials: Omit<Use, 'graceMs'>[] = [];

  grant(right: string, record: HistoryRecord, begin: number, outcome: Outcome = 'ok'): void {
    if (outcome !== 'refused') add(this.#grants, right, { begin, end: record.at, sure: outcome === 'ok', record });
  }

  withdraw(right: string, record: HistoryRecord, begin: number, outcome: Outcome = 'ok'): void {
    if (outcome !== 'refused') add(this.#withdrawals, right, { begin, end: record.at, sure: outcome === 'ok', record });
  }

  use(use: Use): void {
    if (!this.#isExcused(use)) this.#suspects.push(use);
  }

  /** The service refused something for want of the right. */
  denied(right: string, record: HistoryRecord, begin: number): void {
    this.#denials.push({ right, begin, end: record.at, record });
  }

  /** Whether anything may ever have ended the right. */
  wasWithdrawn(right: string): boolean {
    return this.#withdrawals.has(right);
  }

  /** Judges, when all is known. Rights of which `isKnown` says no are passed over: their beginning was not seen. */
  finish(isKnown: (right: string) => boolean, report: Report): void {
    const told = new Set<string>();
    for (const use of this.#suspects) {
      if (!isKnown(use.right) || this.#isExcused(use) || told.has(use.right)) continue;
      told.add(use.right);
      const grant = this.#grantsOf(use.right).findLast(({ begin }) => begin <= use.end);
      const ended = grant && this.#endBefore(grant, use);
      const text = ended
        ? `'${use.right}' had ended ${Math.round(use.begin - ended.end)} ms before`
        : `'${use.right}' had not begun`;
      report('leaked', text, [
        ...(grant && grant !== heldFromTheStart && ended ? [grant.record] : []),
        ...(ended ? [ended.record] : []),
        use.record,
      ]);
    }
    for (const { right, begin, end, record } of this.#denials) {
      const granted = this.#grants.get(right)?.find((grant) => grant.sure && grant.end < begin);
      const withdrawn = this.#withdrawals.get(right)?.some((one) => one.begin < end);
      if (isKnown(right) && granted && !withdrawn)
        report('wrongly-denied', `'${right}' was in force`, [granted.record, record]);
    }
  }

  #isExcused(use: Use): boolean {
    return this.#grantsOf(use.right).some((grant) => grant.begin <= use.end && !this.#endBefore(grant, use));
  }

  #grantsOf(right: string): Change[] {
    const grants = this.#grants.get(right) ?? [];
    return right.startsWith('allowed ') ? [heldFromTheStart, ...grants] : grants;
  }

  /** What surely ended the grant before the use began. */
  #endBefore(grant: Change, use: Use): Change | undefined {
    if (!grant.sure) return undefined;
    const ends = (one: Change) => one.sure && one.begin > grant.end && one.end + use.graceMs < use.begin;
    return this.#withdrawals.get(use.right)?.find(ends);
  }
}

const start = Number.NEGATIVE_INFINITY;

/** Everybody has a right whose name begins with `allowed` until it is withdrawn. */
const heldFromTheStart: Change = {
  begin: start,
  end: start,
  sure: true,
  record: { kind: 'fault', at: 0, begin: 0, what: 'none: the right was there from the start' },
};

function add(map: Map<string, Change[]>, right: string, change: Change): void {
  const changes = map.get(right);
  if (changes) changes.push(change);
  else map.set(right, [change]);
}
