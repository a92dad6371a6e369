import type { BusConfig } from './bus-config.ts';
import type { EnvReader } from './env-reader.ts';

/** What a process does. */
export const roles = ['grpc', 'gateway', 'auth', 'writer', 'relay'] as const;
export type Role = (typeof roles)[number];

export interface ProcessConfig {
  roles: ReadonlySet<Role>;
  /** Processes that share the ports. */
  workers: number;
}

const isRole = (word: string): word is Role => (roles as readonly string[]).includes(word);

export function readWorkers(read: EnvReader): number {
  return read.integer('WORKERS', 1, { min: 1, max: 256 });
}

export function readRoles(read: EnvReader): ReadonlySet<Role> {
  const words = read.list('ROLES', [...roles], (word) => isRole(word), `some of ${roles.join(', ')}`);
  const chosen = new Set(words.length > 0 ? words.filter(isRole) : roles);
  if (chosen.has('grpc') || chosen.size === 1) return chosen;
  for (const role of ['gateway', 'auth'] as const) {
    read.require(!chosen.has(role), `ROLES: ${role} stands by itself, or together with grpc`);
  }
  return chosen;
}

/** Workers share the ports of one service, and must hear of each other. */
export function checkWorkers(read: EnvReader, { workers, roles, bus }: ProcessConfig & { bus: BusConfig }): void {
  if (workers === 1) return;
  read.require(
    bus.kind !== 'memory',
    'WORKERS need something that carries news between them: BUS_URL must be postgres:, nats://… or redis://…, not memory:',
  );
  read.require(roles.has('grpc'), 'WORKERS are for the role grpc: start the others more than once');
}
