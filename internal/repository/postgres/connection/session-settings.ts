/**
 * The settings that the service's statements depend on. Every connection sets them, whatever defaults the server, the database and the role have: under
 * another isolation level a statement that waited for a lock would not see what was committed meanwhile, and in another format dates would be misread.
 */
export const sessionSettings = {
  default_transaction_isolation: 'read committed',
  DateStyle: 'ISO, MDY',
  TimeZone: 'UTC',
} as const;

/** Adds `sessionSettings`, and others by name, to the options that a DSN gives to its connections. */
export function withSessionSettings(dsn: string, others: Readonly<Record<string, string>> = {}): string {
  const url = new URL(dsn);
  const given = url.searchParams.get('options');
  const own = Object.entries({ ...sessionSettings, ...others }).map(
    ([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`,
  );
  // PostgreSQL uses the last value of each setting.
  url.searchParams.set('options', [...(given === null ? [] : [given]), ...own].join(' '));
  return url.href;
}
