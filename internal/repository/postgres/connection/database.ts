import type { Socket } from 'node:net';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { GivenUpCommits } from './given-up-commits.ts';
import { PostgresEpochRepository } from './postgres-epoch-repository.ts';
import { withSessionSettings } from './session-settings.ts';
import type { Tables } from './tables.ts';

/**
 * Two pools of connections, and Kysely on top of each. Reads have connections of their own, because a commit can wait without end: for a synchronous standby
 * that is away.
 */
export interface Database {
  /** For changes. */
  pool: pg.Pool;
  /** For changes, on `pool`. */
  db: Kysely<Tables>;
  /** For reads. Its transactions are read-only. */
  readPool: pg.Pool;
  /** For reads, on `readPool`. */
  reads: Kysely<Tables>;
  epochs: PostgresEpochRepository;
  /** Commits that wait for a synchronous standby after their clients gave them up. */
  givenUpCommits(): number;
  /** Waits for the queries under way, then closes the pools. Calling it again is harmless. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  dsn: string;
  /** Connections of both pools: half for reads, and one more for changes if it is odd. A pool has at least one. */
  poolSize: number;
  /** Milliseconds after which PostgreSQL cancels a statement. */
  statementTimeoutMs: number;
  onError: (error: Error) => void;
  /** The class of the pools. */
  Pool?: typeof pg.Pool;
}

const int8 = 20;

/** Creates the pools. They connect when a query needs a connection, not before. */
export function createDatabase({ dsn, poolSize, Pool, ...options }: DatabaseOptions): Database {
  const { statementTimeoutMs } = options;
  const epochs = new PostgresEpochRepository(() => readPool);
  const connect = (max: number, settings: Record<string, string> = {}) =>
    createPool({ dsn: withSessionSettings(dsn, settings), max, Pool, ...options, epochs });
  const readPool: pg.Pool = connect(Math.max(1, Math.floor(poolSize / 2)), { default_transaction_read_only: 'on' });
  const pool = connect(Math.ceil(poolSize / 2));
  const givenUp = new GivenUpCommits({ pool, readPool });
  destroySilentConnections(readPool, statementTimeoutMs, () => {});
  destroySilentConnections(pool, statementTimeoutMs, (client) => givenUp.add(processIdOf(client)));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const reads = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: readPool }) });
  let closing: Promise<void> | undefined;
  return {
    pool,
    db,
    readPool,
    reads,
    epochs,
    givenUpCommits: () => givenUp.size,
    close: () => {
      closing ??= (async () => {
        // Kysely ends a pool only if it has used the pool.
        await db.destroy();
        if (!pool.ending) await pool.end();
        givenUp.close();
        await reads.destroy();
        if (!readPool.ending) await readPool.end();
      })();
      return closing;
    },
  };
}

/** How long a connection and its first statements may take, in milliseconds. */
const connectTimeoutMs = 2_000;

function createPool({
  dsn,
  max,
  statementTimeoutMs,
  onError,
  epochs,
  Pool = pg.Pool,
}: { max: number; epochs: PostgresEpochRepository } & Omit<DatabaseOptions, 'poolSize'>): pg.Pool {
  const pool = new Pool({
    connectionString: dsn,
    max,
    onConnect: (client) => withDeadline(client, () => epochs.onConnect(client)),
    connectionTimeoutMillis: connectTimeoutMs,
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
  return pool;
}

/**
 * Runs the first statements of a new connection, and destroys the connection if they fail or take too long. The pool has no deadline for them, and after a
 * failure it waits until the server has closed the connection. A silent server never closes it, so the query that needs it would never end.
 */
async function withDeadline(client: pg.ClientBase, run: () => Promise<void>): Promise<void> {
  const stream = streamOf(client);
  const timer = setTimeout(() => stream.destroy(silenceError()), connectTimeoutMs);
  try {
    await run();
  } catch (error) {
    stream.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function silenceError(): Error {
  return Object.assign(new Error('the server is silent'), { code: 'ETIMEDOUT' });
}

/**
 * Destroys a connection in use whose server has gone silent, after calling `onSilent`: it must not hold up a batch for ever, and must not be used again. A
 * commit that waits for a standby is silent too, because `statement_timeout` does not end it.
 */
function destroySilentConnections(
  pool: pg.Pool,
  statementTimeoutMs: number,
  onSilent: (client: pg.PoolClient) => void,
): void {
  pool.on('connect', (client) => {
    // If the connection is in use, its query reports the error; without a listener the event would end the process.
    client.on('error', () => {});
    const stream = streamOf(client);
    stream.on('timeout', () => {
      onSilent(client);
      stream.destroy(silenceError());
    });
  });
  pool.on('acquire', (client) => streamOf(client).setTimeout(statementTimeoutMs + 1_000));
  pool.on('release', (_error, client) => streamOf(client).setTimeout(0));
}

function processIdOf(client: pg.PoolClient): number {
  return (client as pg.PoolClient & { processID: number }).processID;
}

function streamOf(client: pg.ClientBase): Socket {
  return (client as pg.Client).connection.stream as Socket;
}
