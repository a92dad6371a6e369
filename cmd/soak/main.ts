#!/usr/bin/env node
import { readArgs } from './args.ts';
import { writeReport } from './report.ts';
import { exitCodeOf, formatResult } from './result.ts';
import { runSoak } from './run-soak.ts';
import { usage } from './usage.ts';

process.exitCode = await main(process.argv.slice(2));
process.exit();

async function main(argv: readonly string[]): Promise<number> {
  const stop = new AbortController();
  // A second Ctrl-C must not leave processes behind.
  process.on('SIGINT', () => stop.abort());
  process.on('SIGTERM', () => stop.abort());
  let args: ReturnType<typeof readArgs>;
  try {
    args = readArgs(argv);
  } catch (error) {
    console.error(`error: ${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (args === 'help') {
    console.log(usage);
    return 0;
  }
  try {
    const result = await runSoak({ ...args.options, print: (line) => console.error(line), signal: stop.signal });
    const { lives: _, ...summary } = result;
    console.log(args.json ? JSON.stringify(summary, undefined, 2) : formatResult(result));
    console.error(`the report is in ${await writeReport(args.report, result)}`);
    return exitCodeOf(result);
  } catch (error) {
    const why = stop.signal.aborted ? 'interrupted before there was anything to judge' : (error as Error).message;
    console.error(`error: ${why}`);
    return 2;
  }
}
