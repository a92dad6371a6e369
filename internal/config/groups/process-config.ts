import type { EnvReader } from '../reading/env-reader.ts';
import type { BusConfig } from './bus-config.ts';

/** What a process can do. */
export const roles = ['grpc', 'gateway', 'auth', 'writer', 'relay'] as const;
export type Role = (typeof roles)[number];

/** What this process does, and how many processes do it together. */
export interface ProcessConfig {
  roles: ReadonlySet<Role>;
  /** Processes that share the ports; 1: this one alone. */
  workers: number;
}

const isRole = (word: string): word is Role => (roles as readonly string[]).includes(word);

export function readProcess(read: EnvReader): ProcessConfig {
  return { roles: readRoles(read), workers: read.integer('WORKERS', 1, { min: 1, max: 256 }) };
}

function readRoles(read: EnvReader): ReadonlySet<Role> {
  const words = read.list('ROLES', [...roles], (word) => isRole(word), `some of ${roles.join(', ')}`);
  const chosen = new Set(words.length > 0 ? words.filter(isRole) : roles);
  if (chosen.has('grpc') || chosen.size === 1) return chosen;
  for (const role of ['gateway', 'auth'] as const) {
    read.require(!chosen.has(role), `ROLES: ${role} runs alone or together with grpc`);
  }
  return chosen;
}

/** Several workers need a bus between them, and a port to share. */
export function checkWorkers(read: EnvReader, { workers, roles }: ProcessConfig, bus: BusConfig): void {
  if (workers === 1) return;
  read.require(
    bus.kind !== 'memory',
    'WORKERS above 1 need a bus: BUS_URL must be postgres:, nats://… or redis://…, not memory:',
  );
  read.require(
    roles.has('grpc'),
    'WORKERS above 1 need the role grpc: start a process of other roles several times instead',
  );
}
