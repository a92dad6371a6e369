import pg from 'pg';

/** Runs ANALYZE, which PostgreSQL does on its own within a minute. Without it, statements on a new database may use a wrong index. */
export async function analyze(dsn: string): Promise<void> {
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  try {
    await client.query('analyze');
  } finally {
    await client.end();
  }
}
