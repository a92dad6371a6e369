import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Cluster, SUPERUSER } from '../cluster/site.ts';

/** The setting by which a server names the process that started it. */
export const OWNER_SETTING = 'embedded.owner_pid';

// The key of the advisory lock: "embedded" in ASCII. Services of all versions must use the same one.
const LOCK = [0x656d6265, 0x64646564];
const CONNECT_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 30_000;
const RETRY_MS = 250;

/** The processes that use a running server. */
export interface Occupancy {
  /** The process that started the server; undefined if that was not this code. */
  readonly ownerPid: number | undefined;
  /** The process that holds the owner's lock now. */
  readonly holderPid: number | undefined;
  readonly dataFolder: string;
}

/** A superuser's session in the database `postgres`. */
export interface DatabaseSession {
  readonly client: pg.Client;
  /** Resolves when the session has ended, for any reason. */
  readonly ended: Promise<void>;
}

/** Opens a session. The caller ends its client. */
export async function openSession(cluster: Pick<Cluster, 'password'>, port: number): Promise<DatabaseSession> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password: cluster.password,
    database: 'postgres',
    ssl: false,
    application_name: String(process.pid),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  });
  // Without a listener an error of the connection would end the process. `ended` reports it as well.
  client.on('error', () => {});
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  await client.connect();
  return { client, ended };
}

/** Takes the owner's lock until the session ends. Resolves with false if another session has it. */
export async function tryLock({ client }: DatabaseSession): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1, $2) as locked', LOCK);
  return rows[0]?.locked === true;
}

/** Reads which process started the server, and which one holds the owner's lock. */
export async function readOccupancy({ client }: DatabaseSession): Promise<Occupancy> {
  const { rows } = await client.query<{ owner: string | null; holder: string | null; folder: string }>(
    `select current_setting('${OWNER_SETTING}', true) as owner, current_setting('data_directory') as folder,
       (select application_name from pg_locks join pg_stat_activity using (pid)
         where locktype = 'advisory' and classid = $1::bigint::oid and objid = $2::bigint::oid and objsubid = 2 and granted
         limit 1) as holder`,
    LOCK,
  );
  const { owner = null, holder = null, folder = '' } = rows[0] ?? {};
  return { ownerPid: toPid(owner), holderPid: toPid(holder), dataFolder: folder };
}

function toPid(text: string | null): number | undefined {
  return text ? Number(text) : undefined;
}

/**
 * Holds the owner's lock, which shows other services that the data folder is in use. The lock ends with this process, also when that is killed. A
 * session that is lost is replaced until `release`.
 */
export class OwnerSession {
  readonly #cluster: Cluster;
  readonly #port: number;
  readonly #log: (line: string) => void;
  readonly #released = new AbortController();
  readonly #keeping: Promise<void>;
  #session: DatabaseSession;

  private constructor(session: DatabaseSession, cluster: Cluster, port: number, log: (line: string) => void) {
    this.#session = session;
    this.#cluster = cluster;
    this.#port = port;
    this.#log = log;
    this.#keeping = this.#keep();
  }

  /** Resolves once the lock is held; rejects only when aborted. */
  static async hold(cluster: Cluster, port: number, log: (line: string) => void, signal: AbortSignal) {
    return new OwnerSession(await lockedSession(cluster, port, signal), cluster, port, log);
  }

  get client(): pg.Client {
    return this.#session.client;
  }

  async release(): Promise<void> {
    this.#released.abort();
    await this.#keeping;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#released;
    const released = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    for (;;) {
      await Promise.race([this.#session.ended, released]);
      if (signal.aborted) break;
      this.#log('lost the session that marks the data folder as in use; opening another');
      this.#session = await lockedSession(this.#cluster, this.#port, signal).catch(() => this.#session);
    }
    await this.#session.client.end().catch(() => {});
  }
}

async function lockedSession(cluster: Cluster, port: number, signal: AbortSignal): Promise<DatabaseSession> {
  for (;;) {
    signal.throwIfAborted();
    const session = await openSession(cluster, port).catch(() => undefined);
    if (session && (await tryLock(session).catch(() => false))) return session;
    await session?.client.end().catch(() => {});
    await delay(RETRY_MS, undefined, { signal });
  }
}
