import { parseArgs } from 'node:util';
import { oneOf, toNumber } from '../../internal/cluster/option-values.ts';
import type { SoakOptions } from './run-soak.ts';

const buses = ['postgres', 'nats', 'redis'] as const;
const ingests = ['direct', 'jetstream'] as const;

/** Parses the command line. Throws an error that says what is wrong with it. */
export function readArgs(
  argv: readonly string[],
): 'help' | { options: Omit<SoakOptions, 'print' | 'signal'>; report: string; json: boolean } {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string', default: '10' },
      bus: { type: 'string', default: 'nats' },
      ingest: { type: 'string', default: 'direct' },
      clients: { type: 'string', default: '8' },
      every: { type: 'string', default: '10000' },
      load: { type: 'string', default: '0.5' },
      report: { type: 'string', default: 'soak-report' },
      logs: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    json: values.json,
    report: values.report,
    options: {
      seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : toNumber('--seed', values.seed),
      durationMs: toNumber('--minutes', values.minutes) * 60_000,
      bus: oneOf('--bus', values.bus, buses),
      ingest: oneOf('--ingest', values.ingest, ingests),
      clients: toNumber('--clients', values.clients),
      everyMs: toNumber('--every', values.every),
      loadShare: toNumber('--load', values.load),
      logs: values.logs,
    },
  };
}
