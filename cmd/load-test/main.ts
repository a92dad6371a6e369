#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { abortOnInterrupt } from '../../internal/app/process/abort-on-interrupt.ts';
import { runLoadTest } from './run-load-test.ts';

const usage = `usage: load-test [--calls N] [--concurrency N]

Starts a service with TLS and lets ghz call it: SendMessage, and ConnectChat as a stream. Fails when any call failed.

  --calls N        calls of SendMessage, and a tenth as many streams (default 20000)
  --concurrency N  calls under way at any time (default 50)
`;

try {
  const { values } = parseArgs({
    options: {
      calls: { type: 'string', default: '20000' },
      concurrency: { type: 'string', default: '50' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) console.log(usage);
  else {
    const [calls, concurrency] = [Number(values.calls), Number(values.concurrency)];
    if (!(Number.isInteger(calls) && calls > 0)) throw new Error('--calls must be a whole number above 0');
    if (!(Number.isInteger(concurrency) && concurrency > 0))
      throw new Error('--concurrency must be a whole number above 0');
    const failed = await runLoadTest({ calls, concurrency }, abortOnInterrupt('interrupted'));
    console.log(failed === 0 ? '\nevery call succeeded' : `\n${failed} calls failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  }
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  // What was interrupted may still wait.
  process.exit(1);
}
