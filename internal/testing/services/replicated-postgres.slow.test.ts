// Slow: each test starts two PostgreSQL servers and copies their data.
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../eventually.ts';
import { ReplicatedPostgres } from './replicated-postgres.ts';

let servers: ReplicatedPostgres;
let dsn: string;

async function query(text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: dsn });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query({ text, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

async function begin(synchronous: boolean): Promise<void> {
  servers = await ReplicatedPostgres.start({ synchronous });
  dsn = await servers.createDatabase('chat');
  await query('create table notes (note text)');
}

const note = (text: string) => query(`insert into notes values ('${text}')`);
const notes = () => query('select note from notes order by note');
// pg_control_checkpoint() still names the old timeline until the first checkpoint after a promotion.
const timeline = () => query('select left(pg_walfile_name(pg_current_wal_lsn()), 8)::int');

afterEach(() => servers.stop());

describe('an asynchronous standby', () => {
  beforeEach(() => begin(false));

  test('that was cut off lacks the last commits when it is promoted, at the same address', async () => {
    await note('a');
    await servers.caughtUp();
    servers.disconnectStandby();
    await note('b');
    expect(await notes()).toEqual(['a', 'b']);

    await servers.promote();

    expect(await notes()).toEqual(['a']);
    await note('c');
    expect(await notes()).toEqual(['a', 'c']);
    expect(await timeline()).toEqual([2]);
  });

  test('catches up when it is connected again', async () => {
    servers.disconnectStandby();
    await note('a');
    await servers.connectStandby();
    await servers.promote();
    expect(await notes()).toEqual(['a']);
  });
});

test('a commit waits for a synchronous standby, and is on it after a failover', async () => {
  await begin(true);
  servers.disconnectStandby();
  const waiting = note('a');
  const waits = () => servers.primary.query(`select from pg_stat_activity where wait_event = 'SyncRep'`);
  await eventually(async () => expect(await waits()).toHaveLength(1));
  expect(await notes()).toEqual([]);

  await servers.connectStandby();

  await waiting;
  await servers.promote();
  expect(await notes()).toEqual(['a']);
});

test('a backup is restored as it was, on a new timeline, at the same address', async () => {
  await begin(false);
  await note('a');
  const backup = await servers.backUp();
  await note('b');

  await servers.restore(backup);

  expect(await notes()).toEqual(['a']);
  expect(await timeline()).toEqual([2]);
  await note('c');
  expect(await notes()).toEqual(['a', 'c']);
});
