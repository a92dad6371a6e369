import type { Database } from './database.ts';
import { sessionSettings } from './session-settings.ts';

/** What is wrong with a database's settings. */
export interface SettingFault {
  /** `unusable`: the service cannot work. `unsafe`: it works, and acknowledged data can be lost. `doubtful`: whether data can be lost depends on more. */
  severity: 'unusable' | 'unsafe' | 'doubtful';
  /** The setting, its value and what follows from it. */
  what: string;
}

interface Rule {
  setting: string;
  /** `all` has the values of all settings that rules name. */
  isFault(value: string, all: ReadonlyMap<string, string>): boolean;
  severity: SettingFault['severity'];
  consequence: string;
}

const optionsAreIgnored =
  'something between the service and PostgreSQL ignores the options of connections; give the role the setting';

const rules: Rule[] = [
  {
    setting: 'default_transaction_isolation',
    isFault: (value) => value !== sessionSettings.default_transaction_isolation,
    severity: 'unusable',
    consequence: `${optionsAreIgnored} "${sessionSettings.default_transaction_isolation}"`,
  },
  {
    setting: 'DateStyle',
    isFault: (value) => !value.startsWith('ISO'),
    severity: 'unusable',
    consequence: `${optionsAreIgnored} "${sessionSettings.DateStyle}"`,
  },
  {
    setting: 'default_transaction_read_only',
    isFault: isOn,
    severity: 'unusable',
    consequence: 'nothing can be written',
  },
  {
    setting: 'in_hot_standby',
    isFault: isOn,
    severity: 'unusable',
    consequence: 'this is a standby, and POSTGRES_DSN must lead to the primary',
  },
  {
    setting: 'server_encoding',
    isFault: (value) => value !== 'UTF8',
    severity: 'unsafe',
    consequence: 'not every text can be stored; create the database with the encoding UTF8',
  },
  { setting: 'fsync', isFault: isOff, severity: 'unsafe', consequence: 'a crash can destroy all data' },
  {
    setting: 'synchronous_commit',
    isFault: isOff,
    severity: 'unsafe',
    consequence: 'a crash loses the changes that were acknowledged last',
  },
  {
    setting: 'synchronous_commit',
    isFault: (value, all) => value === 'local' && all.get('synchronous_standby_names') !== '',
    severity: 'doubtful',
    consequence: 'commits do not wait for the standbys in synchronous_standby_names',
  },
  {
    setting: 'full_page_writes',
    isFault: isOff,
    severity: 'doubtful',
    consequence: 'a crash can destroy data unless the file system writes whole pages',
  },
];

const settings = [...new Set([...rules.map(({ setting }) => setting), 'synchronous_standby_names'])];

/** Returns what is wrong with the settings, as they are in effect for the service's connections. Throws the error of the query. */
export async function findSettingFaults({ pool }: Pick<Database, 'pool'>): Promise<SettingFault[]> {
  // An older PostgreSQL lacks some of them.
  const { rows } = await pool.query<{ name: string; value: string }>(
    `select name, value from unnest($1::text[]) as name, current_setting(name, true) as value where value is not null`,
    [settings],
  );
  const all = new Map(rows.map(({ name, value }) => [name, value]));
  return rules.flatMap(({ setting, isFault, severity, consequence }) => {
    const value = all.get(setting);
    return value !== undefined && isFault(value, all)
      ? [{ severity, what: `${setting} is ${value}: ${consequence}` }]
      : [];
  });
}

function isOn(value: string): boolean {
  return value === 'on';
}

function isOff(value: string): boolean {
  return value === 'off';
}
