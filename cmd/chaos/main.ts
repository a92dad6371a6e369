#!/usr/bin/env node
import { exitCodeOf, formatVerdict } from '../../internal/verify/report/format-verdict.ts';
import { readArgs } from './args.ts';
import { runChaos } from './run-chaos.ts';
import { usage } from './usage.ts';

process.exitCode = await main(process.argv.slice(2));
process.exit();

async function main(argv: readonly string[]): Promise<number> {
  const stop = new AbortController();
  // A second Ctrl-C must not leave processes and mounted disks behind.
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
    const verdict = await runChaos({ ...args.options, print: (line) => console.error(line), signal: stop.signal });
    console.log(args.json ? JSON.stringify(verdict, undefined, 2) : formatVerdict(verdict));
    return exitCodeOf(verdict);
  } catch (error) {
    const why = stop.signal.aborted ? 'interrupted before there was anything to judge' : (error as Error).message;
    console.error(`error: ${why}`);
    return 2;
  }
}
