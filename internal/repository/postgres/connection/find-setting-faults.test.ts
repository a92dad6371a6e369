import { describe, expect, onTestFinished, test } from 'vitest';
import { createEmptyDatabase } from '../../../testing/services/test-database.ts';
import { createDatabase } from './database.ts';
import { findSettingFaults } from './find-setting-faults.ts';

function open(dsn: string) {
  const database = createDatabase({ dsn, poolSize: 2, statementTimeoutMs: 10_000, onError: () => {} });
  onTestFinished(() => database.close());
  return database;
}

const safe = { synchronous_commit: 'on' };
/** The tests' server is quick, and so both are off. They cannot be changed for one database. */
const ofServer = ['unsafe fsync', 'doubtful full_page_writes'];

describe('the settings of a database', () => {
  test.each<[string, Record<string, string>, string, string[]]>([
    ['as they should be', safe, '', []],
    ['that lose acknowledged commits', { synchronous_commit: 'off' }, '', ['unsafe synchronous_commit']],
    [
      'that forbid writing',
      { ...safe, default_transaction_read_only: 'on' },
      '',
      ['unusable default_transaction_read_only'],
    ],
    ['with an encoding for some languages', safe, `encoding 'LATIN1' locale 'C'`, ['unsafe server_encoding']],
    ['with an encoding that checks nothing', safe, `encoding 'SQL_ASCII' locale 'C'`, ['unsafe server_encoding']],
    ['with another isolation level', { ...safe, default_transaction_isolation: 'serializable' }, '', []],
    ['with other formats', { ...safe, datestyle: 'SQL, DMY', timezone: 'Asia/Tokyo' }, '', []],
  ])('%s', async (_, settings, options, expected) => {
    const faults = await findSettingFaults(open(await createEmptyDatabase(options, settings)));
    const found = faults.map(({ severity, what }) => `${severity} ${what.split(' is ')[0]}`);
    expect(found.filter((fault) => !ofServer.includes(fault))).toEqual(expected);
    expect(found).toEqual(expect.arrayContaining(ofServer));
  });

  test('are named with their value and what follows from it, in one line', async () => {
    const faults = await findSettingFaults(open(await createEmptyDatabase(`encoding 'LATIN1' locale 'C'`, safe)));
    expect(faults.map(({ what }) => what)).toEqual([
      'server_encoding is LATIN1: not every text can be stored; create the database with the encoding UTF8',
      'fsync is off: a crash can destroy all data',
      'full_page_writes is off: a crash can destroy data unless the file system writes whole pages',
    ]);
  });
});

test('the options of a DSN stay in force, and those that the service needs come after them', async () => {
  const dsn = new URL(await createEmptyDatabase(''));
  dsn.searchParams.set('options', '-c default_transaction_isolation=serializable -c work_mem=5MB');
  const { rows } = await open(dsn.href).pool.query(
    `select current_setting('transaction_isolation') as isolation, current_setting('work_mem') as memory`,
  );
  expect(rows).toEqual([{ isolation: 'read committed', memory: '5MB' }]);
});
