import type { Logger } from 'pino';
import type { Settings } from '../../config/live/settings.ts';
import { ConfigError } from '../../config/reading/env-reader.ts';

/**
 * Reads the settings again, applies those that are reloadable, and logs what has changed. Faulty settings change nothing; all their faults are logged.
 * Never throws.
 */
export function reloadSettings<Config extends { warnings: string[] }>(settings: Settings<Config>, log: Logger): void {
  const { warnings: known } = settings.live.current;
  try {
    const { applied, needRestart } = settings.reload();
    for (const name of needRestart) log.warn({ setting: name }, `${name} has changed: needs a restart`);
    for (const warning of settings.live.current.warnings) if (!known.includes(warning)) log.warn(warning);
    log.info({ applied }, describe(applied, settings.file));
  } catch (err) {
    if (err instanceof ConfigError)
      log.error({ faults: err.faults }, 'the new settings are faulty: keeping the old ones');
    else log.error({ err }, 'cannot apply the new settings');
  }
}

function describe(applied: readonly string[], file: string | undefined): string {
  if (file === undefined) return 'there is no CONFIG_FILE to read settings from: only certificates are read again';
  return applied.length > 0 ? `new settings are in force: ${applied.join(', ')}` : 'no reloadable setting has changed';
}
