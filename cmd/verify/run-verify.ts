import { Checker } from '../../internal/verify/checker/checker.ts';
import type { Verdict } from '../../internal/verify/checker/verdict.ts';
import { Journal } from '../../internal/verify/history/journal.ts';
import { readHistory } from '../../internal/verify/history/read-history.ts';
import { exitCodeOf, formatVerdict } from '../../internal/verify/report/format-verdict.ts';
import { Progress } from '../../internal/verify/report/progress.ts';
import { runWorkload } from '../../internal/verify/workload/run-workload.ts';
import { type Args, readArgs } from './args.ts';
import { readTls } from './read-tls.ts';
import { usage } from './usage.ts';

/** Runs the program. Returns its exit code: 0 no violation, 1 at least one, 2 bad usage, no connection, or nothing proved. */
export async function runVerify(argv: readonly string[]): Promise<number> {
  let args: Args;
  try {
    args = readArgs(argv);
  } catch (error) {
    console.error(`error: ${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (args.kind === 'help') {
    console.log(usage);
    return 0;
  }
  try {
    const verdict = args.kind === 'check' ? await checkFile(args.file) : await checkService(args);
    console.log(args.json ? JSON.stringify(verdict, undefined, 2) : formatVerdict(verdict));
    return exitCodeOf(verdict);
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    return 2;
  }
}

async function checkFile(file: string): Promise<Verdict> {
  const checker = new Checker();
  for await (const record of readHistory(file)) checker.add(record);
  return checker.finish();
}

async function checkService({ deployment, tls, options, history }: Extract<Args, { kind: 'run' }>): Promise<Verdict> {
  const encryption = tls && (await readTls(tls));
  const checker = new Checker();
  // Standard output has the verdict only.
  const progress = new Progress((line) => console.error(line));
  const journal = new Journal((record) => {
    checker.add(record);
    progress.add(record);
  }, history);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  console.error(`seed ${options.seed}, ${options.clients} clients, ${options.durationMs / 1_000} s`);
  try {
    await runWorkload({ ...deployment, tls: encryption }, journal, { ...options, signal: stop.signal });
  } finally {
    progress.stop();
    await journal.close();
  }
  return checker.finish();
}
