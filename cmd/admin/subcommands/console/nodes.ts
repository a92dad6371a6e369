import { tableSubcommand } from './room.ts';

export const nodes = tableSubcommand({
  name: 'nodes',
  summary: 'list the processes that use the same database',
  path: 'nodes',
  rows: 'nodes',
  columns: {
    HOST: (node) => node.host,
    PID: (node) => node.pid,
    READY: (node) => node.ready,
    VERSION: (node) => node.version,
    ROLES: (node) => (node.roles as string[]).join(','),
    STARTED: (node) => node.startedAt,
    STREAMS: (node) => node.sessions,
    CONNECTIONS: (node) => node.connections,
  },
});
