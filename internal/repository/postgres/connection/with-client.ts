import pg from 'pg';
import { withSessionSettings } from './session-settings.ts';

export interface ClientOptions {
  dsn: string;
  /** What `pg_stat_activity` shows. */
  applicationName: string;
  /** Breaks the connection when it aborts: the server then rolls back what is not committed. */
  signal?: AbortSignal | undefined;
}

/** Runs `work` on a connection of its own, with the service's session settings, and closes it. */
export async function withClient<T>(
  { dsn, applicationName, signal }: ClientOptions,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: withSessionSettings(dsn),
    connectionTimeoutMillis: 5_000,
    application_name: applicationName,
  });
  // The query under way reports a broken connection; without a listener the event would end the process.
  client.on('error', () => {});
  await client.connect().catch((cause) => {
    // A host name with several addresses, all of which failed.
    const { message } = cause instanceof AggregateError ? (cause.errors[0] as Error) : (cause as Error);
    throw new Error(`cannot connect to the database: ${message}`, { cause });
  });
  const abort = () => void client.end().catch(() => {});
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await work(client);
  } finally {
    signal?.removeEventListener('abort', abort);
    await client.end();
  }
}
