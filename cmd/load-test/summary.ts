/** The result of a run of ghz. */
export interface Outcome {
  ok: number;
  /** Calls that failed, by the code that ghz reports. */
  failed: Record<string, number>;
}

const statusLine = /^ *\[(\w+)\] +(\d+) responses?/gm;

/** Reads the status codes from ghz's summary. Throws if there are none: then ghz made no call. */
export function readSummary(summary: string): Outcome {
  const outcome: Outcome = { ok: 0, failed: {} };
  for (const [, status = '', count] of summary.matchAll(statusLine)) {
    if (status === 'OK') outcome.ok += Number(count);
    else outcome.failed[status] = (outcome.failed[status] ?? 0) + Number(count);
  }
  if (outcome.ok === 0 && Object.keys(outcome.failed).length === 0) throw new Error('ghz reported no calls');
  return outcome;
}
