import type { Socket } from 'node:net';
import { type ColumnType, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { SessionEnd } from '../../model/account.ts';
import type { ChatType } from '../../model/chat.ts';
import type { ChatRole } from '../../model/member.ts';
import type { SystemEvent } from '../../model/message.ts';
import type { TokenRole } from '../../model/principal.ts';

type Defaulted<T> = ColumnType<T, T | undefined, T>;

/** The tables of migrations/, as Kysely sees them. */
export interface Tables extends AuthTables {
  users: { id: string; name: string; membership_version: Defaulted<number> };
  chats: {
    id: string;
    type: ChatType;
    name: string;
    direct_key: string | null;
    created_by: string;
    created_at: Defaulted<Date>;
    last_seq: Defaulted<number>;
    changed_at: Defaulted<Date>;
    member_count: Defaulted<number>;
  };
  members: {
    chat_id: string;
    user_id: string;
    role: ChatRole;
    joined_seq: number;
    joined_at: Defaulted<Date>;
    read_seq: Defaulted<number>;
  };
  messages: {
    chat_id: string;
    seq: number;
    update_seq: number;
    id: string;
    sender_id: string;
    sender_name: string;
    client_message_id: string | null;
    content_hash: Buffer | null;
    text: string;
    system: ColumnType<SystemEvent | null, string | null, string | null>;
    created_at: Date;
  };
  audit_log: {
    id: ColumnType<number, never, never>;
    at: Defaulted<Date>;
    actor_id: string;
    action: string;
    chat_id: string | null;
    detail: ColumnType<unknown, string, string>;
  };
  deleted_chats: { id: string; deleted_at: Defaulted<Date> };
  chat_bans: BanColumns & { chat_id: string };
  user_bans: BanColumns & { lifted: Defaulted<boolean>; changed_at: Defaulted<Date> };
}

interface BanColumns {
  user_id: string;
  banned_by: string;
  reason: string;
  created_at: Defaulted<Date>;
  expires_at: Date | null;
}

/** The tables of the schema `auth`. */
interface AuthTables {
  'auth.accounts': {
    user_id: string;
    name: string;
    password_hash: string;
    roles: TokenRole[];
    created_at: Defaulted<Date>;
    password_changed_at: Defaulted<Date>;
  };
  'auth.sessions': {
    id: string;
    user_id: string;
    created_at: Defaulted<Date>;
    last_used_at: Defaulted<Date>;
    expires_at: Date;
    user_agent: Defaulted<string>;
    address: Defaulted<string>;
    ended_at: Defaulted<Date | null>;
    end_reason: Defaulted<SessionEnd | null>;
  };
  'auth.refresh_tokens': {
    token_hash: Buffer;
    session_id: string;
    created_at: Defaulted<Date>;
    used_at: Defaulted<Date | null>;
    retry_key_hash: Defaulted<Buffer | null>;
  };
  'auth.audit_log': {
    id: ColumnType<number, never, never>;
    at: Defaulted<Date>;
    actor_id: string;
    user_id: string;
    action: string;
    detail: ColumnType<unknown, string, string>;
  };
}

/** One pool of connections, and Kysely upon it. */
export interface Database {
  pool: pg.Pool;
  db: Kysely<Tables>;
  /** Waits for the queries under way, then closes. Twice is harmless. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  dsn: string;
  poolSize: number;
  /** After this the server ends a statement, in milliseconds. */
  statementTimeoutMs: number;
  onError: (error: Error) => void;
}

const int8 = 20;

/** Connections are made when they are needed: this does no I/O. */
export function createDatabase({ dsn, poolSize, statementTimeoutMs, onError }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: dsn,
    max: poolSize,
    connectionTimeoutMillis: 2_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'chat-service',
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    types: {
      // Chat numbers stay far below 2^53.
      getTypeParser: (oid, format) => (oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text')),
    },
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', onError);
  pool.on('connect', (client) => {
    // One that is in use has its query report it, and the process must not end for it either.
    client.on('error', () => {});
    const stream = streamOf(client);
    stream.on('timeout', () => stream.destroy(Object.assign(new Error('the server is silent'), { code: 'ETIMEDOUT' })));
  });
  // A connection whose server has gone silent must neither hold a batch for ever nor be used again.
  pool.on('acquire', (client) => streamOf(client).setTimeout(statementTimeoutMs + 1_000));
  pool.on('release', (_error, client) => streamOf(client).setTimeout(0));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  let closing: Promise<void> | undefined;
  return {
    pool,
    db,
    close: () => {
      // Kysely ends the pool only if it has used it.
      closing ??= db.destroy().then(() => (pool.ending ? undefined : pool.end()));
      return closing;
    },
  };
}

function streamOf(client: pg.PoolClient): Socket {
  return (client as pg.PoolClient & pg.Client).connection.stream as Socket;
}
