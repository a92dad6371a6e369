import { cpuProfile } from './cpu-profile.ts';
import { eventLoop } from './event-loop.ts';
import { heapSnapshot } from './heap-snapshot.ts';
import { ready } from './ready.ts';
import type { Subcommand } from './subcommand.ts';

/** In the order of the usage text. */
export const subcommands: readonly Subcommand[] = [ready, eventLoop, cpuProfile, heapSnapshot];

export function findSubcommand(name: string | undefined): Subcommand | undefined {
  return subcommands.find((subcommand) => subcommand.name === name);
}
