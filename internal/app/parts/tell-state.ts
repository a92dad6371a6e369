import type { Metrics } from '../../client/metrics/metrics.ts';
import type { Database } from '../../repository/postgres/connection/database.ts';
import type { SessionRegistry } from '../../service/sessions/session-registry.ts';

interface Parts {
  sessions: Pick<SessionRegistry, 'size' | 'queuedBytes'>;
  database: Pick<Database, 'pool' | 'readPool'>;
}

/** Adds what is so at the moment when somebody asks for the metrics. */
export function tellState(metrics: Metrics, { sessions, database }: Parts): void {
  metrics.gauge({ name: 'chat_sessions', help: 'Open streams of clients, by all transports.' }, () => sessions.size);
  metrics.gauge(
    { name: 'chat_outbox_bytes', help: 'Bytes of events that wait for readers who do not take them yet.' },
    () => sessions.queuedBytes,
  );
  tellPools(metrics, database);
}

/** Adds how busy the connections to PostgreSQL are. */
export function tellPools(metrics: Metrics, database: Parts['database']): void {
  const pools = { writes: database.pool, reads: database.readPool };
  metrics.gauge(
    {
      name: 'chat_database_connections',
      help: 'Connections to PostgreSQL, and callers that wait for one.',
      labels: ['pool', 'state'],
    },
    () =>
      Object.entries(pools).flatMap(([pool, { totalCount, idleCount, waitingCount }]) =>
        Object.entries({ busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount }).map(
          ([state, value]) => ({
            labels: { pool, state },
            value,
          }),
        ),
      ),
  );
}
