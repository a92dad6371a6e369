import { consoleSubcommands } from '../subcommands/console/index.ts';
import { cpuProfile } from '../subcommands/cpu-profile.ts';
import { eventLoop } from '../subcommands/event-loop.ts';
import { heapSnapshot } from '../subcommands/heap-snapshot.ts';
import { ready } from '../subcommands/ready.ts';
import type { Subcommand } from '../subcommands/subcommand.ts';

/** In the order of the usage text. */
export const subcommands: readonly Subcommand[] = [ready, eventLoop, cpuProfile, heapSnapshot, ...consoleSubcommands];

export function findSubcommand(name: string | undefined): Subcommand | undefined {
  return subcommands.find((subcommand) => subcommand.name === name);
}
