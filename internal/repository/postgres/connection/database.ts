import type { Socket } from 'node:net';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { withSessionSettings } from './session-settings.ts';
import type { Tables } from './tables.ts';

/** A pool of connections, and Kysely on top of it. */
export interface Database {
  pool: pg.Pool;
  db: Kysely<Tables>;
  /** Waits for the queries under way, then closes the pool. Calling it again is harmless. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  dsn: string;
  poolSize: number;
  /** Milliseconds after which PostgreSQL cancels a statement. */
  statementTimeoutMs: number;
  onError: (error: Error) => void;
}

const int8 = 20;

/** Creates the pool. It connects when a query needs a connection, not before. */
export function createDatabase({ dsn, poolSize, statementTimeoutMs, onError }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: withSessionSettings(dsn),
    max: poolSize,
    connectionTimeoutMillis: 2_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'chat-service',
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    types: {
      // Chat numbers stay far below 2^53.
      getTypeParser: (oid, format) => (oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text')),
    },
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', onError);
  pool.on('connect', (client) => {
    // If the connection is in use, its query reports the error; without a listener the event would end the process.
    client.on('error', () => {});
    const stream = streamOf(client);
    stream.on('timeout', () => stream.destroy(Object.assign(new Error('the server is silent'), { code: 'ETIMEDOUT' })));
  });
  // A connection whose server has gone silent must not hold up a batch for ever, and must not be used again.
  pool.on('acquire', (client) => streamOf(client).setTimeout(statementTimeoutMs + 1_000));
  pool.on('release', (_error, client) => streamOf(client).setTimeout(0));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  let closing: Promise<void> | undefined;
  return {
    pool,
    db,
    close: () => {
      // Kysely ends the pool only if it has used the pool.
      closing ??= db.destroy().then(() => (pool.ending ? undefined : pool.end()));
      return closing;
    },
  };
}

function streamOf(client: pg.PoolClient): Socket {
  return (client as pg.PoolClient & pg.Client).connection.stream as Socket;
}
