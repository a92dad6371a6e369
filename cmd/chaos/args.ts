import { parseArgs } from 'node:util';
import { oneOf, toNumber } from '../../internal/cluster/option-values.ts';
import type { ChaosOptions } from './run-chaos.ts';

const buses = ['memory', 'postgres', 'nats', 'redis'] as const;
const ingests = ['direct', 'jetstream'] as const;

/** Parses the command line. Throws an error that says what is wrong with it. */
export function readArgs(
  argv: readonly string[],
): 'help' | { options: Omit<ChaosOptions, 'print' | 'signal'>; json: boolean } {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string', default: '1' },
      seconds: { type: 'string' },
      bus: { type: 'string', default: 'nats' },
      ingest: { type: 'string', default: 'direct' },
      nodes: { type: 'string', default: '3' },
      clients: { type: 'string', default: '12' },
      every: { type: 'string', default: '1500' },
      history: { type: 'string' },
      logs: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const seconds = values.seconds === undefined ? toNumber('--minutes', values.minutes) * 60 : undefined;
  return {
    json: values.json,
    options: {
      seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : toNumber('--seed', values.seed),
      durationMs: (seconds ?? toNumber('--seconds', values.seconds!)) * 1_000,
      bus: oneOf('--bus', values.bus, buses),
      ingest: oneOf('--ingest', values.ingest, ingests),
      nodes: toNumber('--nodes', values.nodes),
      clients: toNumber('--clients', values.clients),
      everyMs: toNumber('--every', values.every),
      history: values.history,
      logs: values.logs,
    },
  };
}
