import { authServerDefaults, messageWriterDefaults } from '../../internal/config/program-defaults.ts';
import type { Env } from '../../internal/config/reading/environment.ts';

/** How to ask a program for its health: by grpc.health.v1, or by `GET /readyz`. */
export interface Target {
  kind: 'grpc' | 'http';
  port: number;
}

/** The programs, with their ports unless GRPC_PORT or HTTP_PORT is set. */
const programs: Readonly<Record<string, Target>> = {
  server: { kind: 'grpc', port: 50_051 },
  gateway: { kind: 'http', port: 8_080 },
  'auth-server': { kind: 'grpc', port: Number(authServerDefaults.GRPC_PORT) },
  'message-writer': { kind: 'grpc', port: Number(messageWriterDefaults.GRPC_PORT) },
};

/**
 * Returns the target of the named program, or without a name of the program that the server is by its ROLES. Throws an error if there is no such
 * program.
 */
export function targetOf(named: string | undefined, env: Env): Target {
  const target = programs[named ?? programOf(env.ROLES ?? '')];
  if (!target) throw new Error(`there is no program ${named}: give one of ${Object.keys(programs).join(', ')}`);
  const { kind, port } = target;
  return { kind, port: Number((kind === 'grpc' ? env.GRPC_PORT : env.HTTP_PORT) || port) };
}

/** With only one of these roles the server runs as another program. */
function programOf(roles: string): string {
  const [role, ...others] = roles.split(',').flatMap((one) => one.trim() || []);
  if (others.length > 0) return 'server';
  if (role === 'gateway') return 'gateway';
  return role === 'auth' ? 'auth-server' : 'server';
}
