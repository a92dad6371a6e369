import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SUPERUSER } from '../../embedded/cluster/site.ts';
import { waitUntil } from '../../embedded/system/wait-until.ts';
import { copyData, copyFolder } from '../../servers/base-backup.ts';
import { PostgresProcess } from '../../servers/postgres-process.ts';
import { startTcpProxy, type TcpProxy } from '../faults/tcp-proxy.ts';

/** Nothing here survives a loss of power, and need not: SIGKILL leaves what was written to the operating system. */
const settings = { fsync: 'off', wal_keep_size: '1GB', wal_retrieve_retry_interval: '100ms', max_connections: '200' };
const standbyName = 'standby';
const patienceMs = 60_000;

/** A copy of a running server's data, as `pg_basebackup` makes it. */
export interface BaseBackup {
  folder: string;
}

interface Parts {
  folder: string;
  opened: AsyncDisposableStack;
  synchronous: boolean;
  primary: PostgresProcess;
  standby: PostgresProcess;
  clients: TcpProxy;
  replication: TcpProxy;
}

/**
 * A primary PostgreSQL with a streaming standby, of real processes. Clients reach the current primary at one address, which `promote` and `restore`
 * lead to another server, as a virtual address or a proxy does in production. Stop it at the end of the test.
 */
export class ReplicatedPostgres {
  readonly #folder: string;
  readonly #opened: AsyncDisposableStack;
  readonly #synchronous: boolean;
  readonly #clients: TcpProxy;
  readonly #replication: TcpProxy;
  #primary: PostgresProcess;
  #standby: PostgresProcess | undefined;
  #restored = 0;
  #backups = 0;

  private constructor({ folder, opened, synchronous, primary, standby, clients, replication }: Parts) {
    this.#folder = folder;
    this.#opened = opened;
    this.#synchronous = synchronous;
    this.#primary = primary;
    this.#standby = standby;
    this.#clients = clients;
    this.#replication = replication;
  }

  /**
   * Starts both servers. `synchronous`: a commit on the primary waits for the standby (`synchronous_standby_names`). The `settings` are those of both
   * servers. Resolves when the standby follows the primary.
   */
  static async start(
    options: { synchronous?: boolean; settings?: Readonly<Record<string, string>> } = {},
  ): Promise<ReplicatedPostgres> {
    const { synchronous = false } = options;
    await using opened = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'chat-replicated-'));
    opened.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
    const all = { ...settings, ...options.settings };
    const names = { synchronous_standby_names: synchronous ? standbyName : '' };
    const primary = await PostgresProcess.start(join(folder, 'primary'), { ...all, ...names });
    opened.defer(() => primary.stop());
    const replication = await startTcpProxy(primary.dsn('postgres'));
    opened.defer(() => replication.close());
    const clients = await startTcpProxy(primary.dsn('postgres'));
    opened.defer(() => clients.close());
    await copyData(primary, join(folder, 'standby', 'postgres'));
    await writeFile(join(folder, 'standby', 'postgres', 'standby.signal'), '');
    const { hostname, port } = new URL(replication.dsn);
    const source = `host=${hostname} port=${port} user=${SUPERUSER} password=${primary.password}`;
    const standby = await PostgresProcess.start(join(folder, 'standby'), {
      ...all,
      primary_conninfo: `${source} application_name=${standbyName}`,
    });
    opened.defer(() => standby.stop());
    const parts = { folder, synchronous, primary, standby, clients, replication };
    await new ReplicatedPostgres({ ...parts, opened }).caughtUp();
    return new ReplicatedPostgres({ ...parts, opened: opened.move() });
  }

  /** The server that clients are led to. */
  get primary(): PostgresProcess {
    return this.#primary;
  }

  /** The server that follows the primary; throws after `promote` and `restore`. */
  get standby(): PostgresProcess {
    if (!this.#standby) throw new Error('there is no standby any more');
    return this.#standby;
  }

  /** The address of a database on the current primary. It stays the same across a failover. */
  dsn(database: string): string {
    const url = new URL(this.#clients.dsn);
    url.pathname = `/${database}`;
    return url.href;
  }

  /** Creates an empty database and returns its DSN by the address that stays the same. */
  async createDatabase(name: string): Promise<string> {
    await this.#primary.createDatabase(name);
    return this.dsn(name);
  }

  /** Cuts the standby off from the primary: it gets nothing more, and a commit that waits for it waits. */
  disconnectStandby(): void {
    this.#replication.cut();
  }

  /** Ends `disconnectStandby`. Resolves when the standby has everything. */
  async connectStandby(): Promise<void> {
    this.#replication.restore();
    await this.caughtUp();
  }

  /** Resolves when the standby follows the primary, and shows everything that was written before the call. */
  async caughtUp(): Promise<void> {
    const [{ lsn } = { lsn: '' }] = await this.#primary.query<{ lsn: string }>('select pg_current_wal_lsn() as lsn');
    const state = this.#synchronous ? `and sync_state = 'sync'` : '';
    const follows = `select from pg_stat_replication
      where application_name = '${standbyName}' and state = 'streaming' and replay_lsn >= '${lsn}' ${state}`;
    await until(async () => (await this.#primary.query(follows)).length === 1, 'the standby does not follow');
  }

  /** Kills the primary with SIGKILL. What the standby has not got by then is lost to it. Clients are refused until `promote` or `restore`. */
  async killPrimary(): Promise<void> {
    this.#clients.cut();
    this.#replication.cut();
    await this.#primary.stop('SIGKILL');
  }

  /** Makes the standby the primary, on a new timeline, and leads clients to it. Kills the old primary first. */
  async promote(): Promise<void> {
    await this.killPrimary();
    const standby = this.standby;
    await standby.query('select pg_promote()');
    await this.#leadTo(standby);
  }

  /** Takes a base backup of the primary. */
  async backUp(): Promise<BaseBackup> {
    this.#backups += 1;
    const folder = join(this.#folder, `backup-${this.#backups}`);
    await copyData(this.#primary, folder);
    return { folder };
  }

  /** Ends both servers, starts one from the backup as it was at the backup's end, on a new timeline, and leads clients to it. */
  async restore({ folder }: BaseBackup): Promise<void> {
    await this.killPrimary();
    await this.#standby?.stop();
    this.#restored += 1;
    const target = join(this.#folder, `restored-${this.#restored}`);
    await copyFolder(folder, join(target, 'postgres'));
    await writeFile(join(target, 'postgres', 'recovery.signal'), '');
    const server = await PostgresProcess.start(target, {
      ...settings,
      // The backup has all of the log that it needs: there is no archive.
      restore_command: 'false',
      recovery_target: 'immediate',
      recovery_target_action: 'promote',
    });
    this.#opened.defer(() => server.stop());
    await this.#leadTo(server);
  }

  /** Ends everything and removes its files. */
  stop(): Promise<void> {
    return this.#opened.disposeAsync();
  }

  async #leadTo(server: PostgresProcess): Promise<void> {
    const isPrimary = async () =>
      (await server.query<{ standby: boolean }>('select pg_is_in_recovery() as standby'))[0]?.standby === false;
    await until(isPrimary, 'the server does not become the primary');
    this.#primary = server;
    this.#standby = undefined;
    this.#clients.redirect(server.dsn('postgres'));
    this.#clients.restore();
  }
}

async function until(condition: () => Promise<boolean>, failure: string): Promise<void> {
  if (!(await waitUntil(condition, patienceMs))) throw new Error(failure);
}
