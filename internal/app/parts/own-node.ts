import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** This process, as others see it. */
export interface OwnNode {
  nodeId: string;
  host: string;
  pid: number;
  version: string;
  roles: readonly string[];
  startedAt: Date;
}

/** Describes this process, which has these roles. */
export function ownNode(roles: Iterable<string>): OwnNode {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const startedAt = new Date(Date.now() - process.uptime() * 1_000);
  return { nodeId: randomUUID(), host: hostname(), pid: process.pid, version, roles: [...roles], startedAt };
}
