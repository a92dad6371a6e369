import type { Logger } from 'pino';
import type { Database } from '../../repository/postgres/connection/database.ts';
import { findSettingFaults } from '../../repository/postgres/connection/find-setting-faults.ts';

/**
 * Throws an error that names every setting of the database that the service cannot work with, or that endangers acknowledged data unless
 * `mayLoseData`. Logs a warning for each of the others.
 */
export async function checkSettings(
  database: Pick<Database, 'pool'>,
  { mayLoseData }: { mayLoseData: boolean },
  log: Logger,
): Promise<void> {
  const refused: string[] = [];
  for (const { severity, what } of await findSettingFaults(database)) {
    if (severity === 'unusable') refused.push(what);
    else if (severity === 'unsafe' && !mayLoseData)
      refused.push(`${what} (in production this is refused unless ALLOW_INSECURE has "data-loss")`);
    else log.warn(`the database's ${what}`);
  }
  if (refused.length > 0) throw new Error(refused.join('; '));
}
