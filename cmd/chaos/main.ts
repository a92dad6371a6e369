#!/usr/bin/env node
import { formatVerdict } from '../../internal/verify/report/format-verdict.ts';
import { readArgs } from './args.ts';
import { runChaos } from './run-chaos.ts';
import { usage } from './usage.ts';

process.exitCode = await main(process.argv.slice(2));
process.exit();

async function main(argv: readonly string[]): Promise<number> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
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
    return verdict.ok ? 0 : 1;
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    return 2;
  }
}
