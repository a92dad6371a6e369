import type { HistoryRecord, Outcome } from '../history/history-record.ts';
import type { Report } from './violation.ts';

interface Change {
  begin: number;
  end: number;
  /** Whether the change is known to have happened. */
  sure: boolean;
  /** Whether the right may not be in force although the change happened: the database may have lost it. */
  isSupposed?: boolean;
  record: HistoryRecord;
}

/** Something that needs the right, done at some time between `begin` and `end`. */
export interface Use {
  right: string;
  begin: number;
  end: number;
  record: HistoryRecord;
  /** How long after the end of the right the use is still allowed, in milliseconds. */
  graceMs: number;
}

/**
 * Which user had which right when, as far as real time tells. A use is a violation only if no grant can have been in force: each grant that may
 * have happened was surely withdrawn before the use began. Changes must be added in the order in which they ended, and each of them before
 * the uses that began later.
 */
export class Rights {
  readonly #grants = new Map<string, Change[]>();
  readonly #withdrawals = new Map<string, Change[]>();
  /** Uses without a known grant: a grant that was under way may still justify them. */
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

  /** The service refused something because the user lacked the right. */
  denied(right: string, record: HistoryRecord, begin: number): void {
    this.#denials.push({ right, begin, end: record.at, record });
  }

  /** The database has gone back: from then on each right may be in force or not, until it is granted or withdrawn again. */
  lose(record: HistoryRecord, begin: number): void {
    for (const right of new Set([...this.#grants.keys(), ...this.#withdrawals.keys()])) {
      for (const grant of this.#grants.get(right) ?? []) grant.isSupposed = true;
      add(this.#grants, right, { begin, end: record.at, sure: true, isSupposed: true, record });
    }
  }

  /** Whether any withdrawal of the right was attempted. */
  wasWithdrawn(right: string): boolean {
    return this.#withdrawals.has(right);
  }

  /** Judges all uses after the last record. Skips rights for which `isKnown` returns false: the history does not show how they began. */
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
      const granted = this.#grants.get(right)?.find((grant) => grant.sure && !grant.isSupposed && grant.end < begin);
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

  /** The withdrawal that surely ended the grant before the use began. */
  #endBefore(grant: Change, use: Use): Change | undefined {
    if (!grant.sure) return undefined;
    const ends = (one: Change) => one.sure && one.begin > grant.end && one.end + use.graceMs < use.begin;
    return this.#withdrawals.get(use.right)?.find(ends);
  }
}

const start = Number.NEGATIVE_INFINITY;

/** Every user has the rights whose names begin with `allowed` until they are withdrawn. */
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
