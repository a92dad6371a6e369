import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import pg from 'pg';
import type { Link, OpenLink } from './link.ts';

export interface PostgresLinkOptions {
  dsn: string;
  /** The longest time to connect, and of a statement, in milliseconds. */
  timeoutMs: number;
}

/**
 * The number of channels, which topics share. PostgreSQL compares each notification with every channel of a session in turn, so one channel per topic
 * would make each notification slower with every topic. Nodes ignore messages of topics to which they have not subscribed.
 */
const channels = 256;

/** The longest message, in bytes. NOTIFY takes 7,999 bytes: the topic, a space, and the message in base64, four bytes for three. */
const maxBytes = 5_990;

/**
 * Connects to PostgreSQL and uses LISTEN and NOTIFY. A batch is sent in one statement and transaction, because transactions that notify take a
 * lock on the whole server when they commit.
 */
export function postgresLink({ dsn, timeoutMs }: PostgresLinkOptions): OpenLink {
  return async ({ onMessage }) => {
    const client = new pg.Client({
      connectionString: dsn,
      connectionTimeoutMillis: timeoutMs,
      keepAlive: true,
      application_name: 'chat-service bus',
      statement_timeout: timeoutMs,
    });
    const broken = new Promise<unknown>((resolve) => {
      client.on('error', resolve);
      client.on('end', () => resolve(new Error('the connection was closed')));
    });
    client.on('notification', ({ payload = '' }) => {
      const end = payload.indexOf(' ');
      onMessage(payload.slice(0, end), Buffer.from(payload.slice(end + 1), 'base64'));
    });
    try {
      await client.connect();
      // A crash may lose notifications anyway, and a commit that does not wait for the disk holds the lock for less time.
      await client.query('set synchronous_commit = off');
    } catch (error) {
      streamOf(client).destroy();
      throw error;
    }
    // Queries run one after the other: the driver does not queue them.
    let last: Promise<unknown> = Promise.resolve();
    const query = async (config: string | pg.QueryConfig) => {
      const mine = last.then(() => client.query(config));
      last = mine.catch(() => {});
      await mine;
    };
    const listening = new Map<string, Set<string>>();
    const link: Link = {
      maxBytes,
      async send(messages) {
        await query({
          name: 'notify',
          text: 'select count(pg_notify(channel, payload)) from unnest($1::text[], $2::text[]) as message (channel, payload)',
          values: [
            messages.map(({ topic }) => channelOf(topic)),
            messages.map(({ topic, bytes }) => `${topic} ${Buffer.from(bytes).toString('base64')}`),
          ],
        });
      },
      async subscribe(topics) {
        const begun: string[] = [];
        for (const topic of topics) {
          const channel = channelOf(topic);
          const sharing = listening.get(channel);
          if (!sharing) begun.push(channel);
          listening.set(channel, (sharing ?? new Set()).add(topic));
        }
        // An empty query too, so that the call waits for earlier `listen` statements.
        await query(begun.map((channel) => `listen ${channel}`).join(';'));
      },
      async unsubscribe(topics) {
        const ended: string[] = [];
        for (const topic of topics) {
          const channel = channelOf(topic);
          const sharing = listening.get(channel);
          if (!sharing?.delete(topic) || sharing.size > 0) continue;
          listening.delete(channel);
          ended.push(channel);
        }
        if (ended.length > 0) await query(ended.map((channel) => `unlisten ${channel}`).join(';'));
      },
      ping: () => query('select 1'),
      broken,
      destroy: () => streamOf(client).destroy(),
    };
    return link;
  };
}

function channelOf(topic: string): string {
  return `chat_bus_${createHash('md5').update(topic).digest()[0]! % channels}`;
}

function streamOf(client: pg.Client): Socket {
  return (client as pg.Client & { connection: { stream: Socket } }).connection.stream;
}
