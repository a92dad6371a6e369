/** What ghz reports of a run. */
export interface Outcome {
  ok: number;
  /** Calls that did not succeed, by what ghz says of them. */
  failed: Record<string, number>;
}

const statusLine = /^ *\[(\w+)\] +(\d+) responses?/gm;

/** Reads the status codes from ghz's summary. Throws if there are none: nothing was called then. */
export function readSummary(summary: string): Outcome {
  const outcome: Outcome = { ok: 0, failed: {} };
  for (const [, status = '', count] of summary.matchAll(statusLine)) {
    if (status === 'OK') outcome.ok += Number(count);
    else outcome.failed[status] = (outcome.failed[status] ?? 0) + Number(count);
  }
  if (outcome.ok === 0 && Object.keys(outcome.failed).length === 0) throw new Error('ghz reported no calls');
  return outcome;
}
