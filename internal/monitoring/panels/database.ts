import type { Panel } from './panel.ts';
import { percentiles, total } from './query.ts';

export const databaseStates: Panel = {
  title: 'PostgreSQL answers, by process',
  description: '1 while the process reaches PostgreSQL. One process alone at 0: its network.',
  unit: 'short',
  queries: [{ query: total('chat_database_up', { by: 'instance' }), legend: '{{instance}}' }],
};

export const probeSeconds: Panel = {
  title: 'Time of an empty query',
  description:
    'Each process asks PostgreSQL nothing once a second. Slow: the machine of PostgreSQL, the network, or a pool without a free connection. Fast while commits are slow: locks or the disk.',
  unit: 's',
  queries: percentiles('chat_database_probe_seconds'),
};

export const poolConnections: Panel = {
  title: 'Connections to PostgreSQL',
  description: 'Busy and idle connections of all processes, by pool: writes, and reads.',
  unit: 'short',
  queries: [
    {
      query: total('chat_database_connections', { by: 'pool, state', where: 'state!="waiting"' }),
      legend: '{{pool}}, {{state}}',
    },
  ],
};

export const poolWaits: Panel = {
  title: 'Callers that wait for a connection',
  description: 'Usually 0. More, for long: PostgreSQL is slow, or POSTGRES_POOL_SIZE is too small.',
  unit: 'short',
  queries: [
    { query: total('chat_database_connections', { by: 'pool', where: 'state="waiting"' }), legend: '{{pool}}' },
  ],
};

export const givenUpCommits: Panel = {
  title: 'Commits without an end',
  description: 'Commits that wait for a synchronous standby after their callers got an error. Usually 0.',
  unit: 'short',
  queries: [{ query: total('chat_database_given_up_commits'), legend: 'commits' }],
};
