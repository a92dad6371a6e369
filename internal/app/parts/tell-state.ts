import type { Metrics } from '../../client/metrics/metrics.ts';
import type { Database } from '../../repository/postgres/connection/database.ts';
import type { Hub } from '../../service/delivery/hub.ts';
import type { SessionRegistry } from '../../service/sessions/session-registry.ts';

interface Parts {
  sessions: Pick<SessionRegistry, 'countByTransport' | 'queuedBytes' | 'waiting'>;
  hub: Pick<Hub, 'countReaders' | 'size'>;
  database: Pick<Database, 'pool' | 'readPool' | 'givenUpCommits'>;
}

/** Adds what is so at the moment when somebody asks for the metrics. */
export function tellState(metrics: Metrics, { sessions, hub, database }: Parts): void {
  metrics.gauge({ name: 'chat_sessions', help: 'Open streams of clients.', labels: ['transport'] }, () =>
    Object.entries(sessions.countByTransport()).map(([transport, value]) => ({ labels: { transport }, value })),
  );
  metrics.gauge({ name: 'chat_arrivals_waiting', help: 'Streams that wait to be admitted.' }, () => sessions.waiting);
  metrics.gauge(
    { name: 'chat_outbox_bytes', help: 'Bytes of events that wait for readers who do not take them yet.' },
    () => sessions.queuedBytes,
  );
  metrics.gauge({ name: 'chat_topics', help: 'Chats that have, or had a moment ago, readers here.' }, () => hub.size);
  metrics.gauge(
    {
      name: 'chat_readers',
      help: 'Subscriptions to a chat: live, or reading pages of the database.',
      labels: ['state'],
    },
    () => {
      const { live, catchingUp } = hub.countReaders();
      return [
        { labels: { state: 'live' }, value: live },
        { labels: { state: 'catching_up' }, value: catchingUp },
      ];
    },
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
  metrics.gauge(
    {
      name: 'chat_database_given_up_commits',
      help: 'Commits that wait for a synchronous standby, and that nobody waits for here any more.',
    },
    () => database.givenUpCommits(),
  );
}
