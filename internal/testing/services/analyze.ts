import pg from 'pg';

/** As PostgreSQL does by itself within a minute. Until then statements that are planned anew on a young database take a wrong index. */
export async function analyze(dsn: string): Promise<void> {
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  try {
    await client.query('analyze');
  } finally {
    await client.end();
  }
}
