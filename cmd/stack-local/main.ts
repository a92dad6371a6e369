#!/usr/bin/env node
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { LocalStack, type StackOptions } from './local-stack.ts';
import { usage } from './usage.ts';

process.exitCode = await main(process.argv.slice(2));
process.exit();

async function main(argv: string[]): Promise<number> {
  const { signal, asked } = untilSignal();
  let args: Omit<StackOptions, 'print'> | 'help';
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
    const stack = await LocalStack.start({ ...args, print: (line) => console.error(line) }, signal);
    for (const [name, address] of Object.entries(stack.addresses)) console.log(`${name.padEnd(14)}${address}`);
    console.log(`\nmake chat USER=alice ARGS='--addr ${stack.addresses.gRPC}'\nCtrl-C ends everything.`);
    await asked;
    console.error('stopping');
    await stack.stop();
    return 0;
  } catch (error) {
    if (signal.aborted) return 0;
    console.error(`error: ${(error as Error).message}`);
    return 1;
  }
}

/** Aborts at Ctrl-C or SIGTERM; a second one changes nothing, so that no process is left behind. */
function untilSignal(): { signal: AbortSignal; asked: Promise<unknown> } {
  const stop = new AbortController();
  const asked = once(stop.signal, 'abort');
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
  return { signal: stop.signal, asked };
}

function readArgs(args: string[]): Omit<StackOptions, 'print'> | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      nodes: { type: 'string', default: '3' },
      logs: { type: 'string', default: '.data/stack-logs' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const nodes = Number(values.nodes);
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > 16)
    throw new Error('--nodes must be a whole number from 1 to 16');
  return { nodes, logs: values.logs };
}
