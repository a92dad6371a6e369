import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { ChatType } from '../../../model/chat.ts';
import type { ChatRole } from '../../../model/member.ts';
import type { AcceptedMessage } from '../../../model/message.ts';
import {
  type AcceptanceCheck,
  type Entry,
  type IngestMode,
  type IngestRepository,
  PartitionLost,
  type PartitionRange,
} from '../../ingest-repository.ts';
import type { Appended, NewMessage, ReferenceRefusal } from '../../message-repository.ts';
import type { Database } from '../connection/database.ts';
import { withMessageErrors, withStorageErrors } from '../connection/storage-error.ts';
import { FirstAnalysis } from '../messages/first-analysis.ts';
import { findMentionFaults, toCandidate } from '../messages/mention-faults.ts';
import { toContents } from '../messages/message-row.ts';
import { type AppendedRow, toAppended } from '../messages/postgres-message-repository.ts';
import { setMentions } from '../messages/set-mentions.ts';

/** The SQLSTATE with which ingest.move fails. */
const partitionLost = 'CI001';

const checkStatement = {
  name: 'check_acceptance',
  text: `
    select c.type as chat_type, m.role, prior.id as message_id, prior.seq, prior.created_at,
      prior.content_hash is null or prior.content_hash = i.content_hash as same,
      (select mode = 'direct' from ingest.mode) as other_mode,
      case when i.reply_to_id is not null then coalesce(
        (select r.system is null and not r.hidden from messages r where r.chat_id = i.chat_id and r.id = i.reply_to_id),
        uuid_extract_version(i.reply_to_id) = 8) end as may_reply,
      case when i.root_id is not null then coalesce(
        (select r.system is null and not r.hidden and not coalesce(
          (select first.hidden from messages first where first.chat_id = r.chat_id and first.seq = r.root_seq), false)
         from messages r where r.chat_id = i.chat_id and r.id = i.root_id),
        uuid_extract_version(i.root_id) = 8) end as may_join
    from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::uuid[], $6::uuid[])
      with ordinality as i (chat_id, sender_id, client_message_id, content_hash, reply_to_id, root_id, place)
    left join chats c on c.id = i.chat_id
    left join members m on m.chat_id = i.chat_id and m.user_id = i.sender_id
    left join messages prior
      on prior.chat_id = i.chat_id and prior.sender_id = i.sender_id and prior.client_message_id = i.client_message_id
    order by i.place`,
};

const appendStatement = {
  name: 'ingest_append_messages',
  text: 'select * from ingest.append_messages($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb[], $13::integer)',
};

/** For a batch with mentions, which are set in the same transaction. */
const mentioningStatement = {
  name: 'ingest_append_messages_mentioning',
  text: `
    with appended as materialized (
      select a.*, ($5::uuid[])[a.place] as chat_id, ($12::jsonb[])[a.place] -> 'mentions' as list
      from ingest.append_messages($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb[], $13::integer)
        with ordinality as a (outcome, chat_type, message_id, seq, created_at, reply_to_seq, root_id, place)
    ),
    ${setMentions('appended')}
    select a.outcome, a.chat_type, a.message_id, a.seq, a.created_at, a.reply_to_seq, a.root_id
    from appended a left join mentioned on true order by a.place`,
};

interface CheckRow {
  chat_type: ChatType | null;
  role: ChatRole | null;
  message_id: string | null;
  seq: number;
  created_at: Date;
  same: boolean;
  other_mode: boolean | null;
  /** Null without a reference. True also for a message that is not in the database, if the log may have it. */
  may_reply: boolean | null;
  may_join: boolean | null;
}

export class PostgresIngestRepository implements IngestRepository {
  readonly #pool: pg.Pool;
  readonly #readPool: pg.Pool;
  readonly #epochs: Database['epochs'];
  readonly #analysis: FirstAnalysis;

  constructor({ pool, readPool, epochs }: Pick<Database, 'pool' | 'readPool' | 'epochs'>) {
    this.#pool = pool;
    this.#readPool = readPool;
    this.#epochs = epochs;
    this.#analysis = new FirstAnalysis(pool);
  }

  checkAcceptance(batch: readonly NewMessage[], sendingRoles: readonly ChatRole[]): Promise<AcceptanceCheck[]> {
    return withMessageErrors(async () => {
      const faults = await findMentionFaults(this.#readPool, 'messages', batch.map(toCandidate), sendingRoles);
      const { rows } = await this.#readPool.query<CheckRow>({
        ...checkStatement,
        values: [
          batch.map(({ chatId }) => chatId),
          batch.map(({ sender }) => sender.id),
          batch.map(({ clientMessageId }) => clientMessageId),
          batch.map(({ contentHash }) => contentHash),
          batch.map(({ replyToId }) => replyToId ?? null),
          batch.map(({ rootId }) => rootId ?? null),
        ],
      });
      return rows.map((row, index) => {
        const check = toCheck(row, sendingRoles, batch[index]?.asService ?? false);
        const mentionFault = faults.get(index);
        return mentionFault && check.outcome === 'acceptable' ? { outcome: 'mention_refused', mentionFault } : check;
      });
    });
  }

  claimMode(wanted: IngestMode): Promise<IngestMode> {
    return withStorageErrors(async () => {
      await this.#pool.query('update ingest.mode set mode = $1 where mode is null', [wanted]);
      const { rows } = await this.#pool.query<{ mode: IngestMode }>('select mode from ingest.mode');
      return rows[0]!.mode;
    });
  }

  async startSwitch(): Promise<string> {
    const switchId = randomUUID();
    await withStorageErrors(() => this.#pool.query('update ingest.mode set switch_id = $1', [switchId]));
    return switchId;
  }

  async finishSwitch(switchId: string, mode: IngestMode): Promise<void> {
    await this.#inTransaction(async (client) => {
      const { rowCount } = await client.query('update ingest.mode set mode = $2 where switch_id = $1', [
        switchId,
        mode,
      ]);
      if (!rowCount) throw new Error('the mode was not changed: another process has started to switch it meanwhile');
      // The next log may be another one.
      if (mode === 'direct') await client.query('delete from ingest.stream');
    });
  }

  findPositions({ name, createdAt }: { name: string; createdAt: string }): Promise<Map<number, number> | undefined> {
    return withStorageErrors(async () => {
      const { rows } = await this.#pool.query<{ partition: number; position: number }>(
        'select partition, position from ingest.partitions, ingest.stream where name = $1 and created_at = $2',
        [name, createdAt],
      );
      return rows.length > 0 ? new Map(rows.map(({ partition, position }) => [partition, position])) : undefined;
    });
  }

  openLog({
    name,
    createdAt,
    partitions,
  }: Parameters<IngestRepository['openLog']>[0]): Promise<'same' | 'first' | 'replaced'> {
    return this.#inTransaction(async (client) => {
      await client.query('lock table ingest.stream in exclusive mode');
      const { rows } = await client.query<{ name: string; created_at: string; partitions: number }>(
        'select name, created_at, partitions from ingest.stream',
      );
      const [known] = rows;
      if (known && known.name !== name) {
        throw new Error(
          `accepted messages are in the stream ${known.name}, not in ${name}: set INGEST_STREAM=${known.name}, or switch to direct first (make ingest-switch TO=direct)`,
        );
      }
      const { rowCount: isDirect } = await client.query(`select from ingest.mode where mode = 'direct'`);
      if (isDirect) throw new Error('the database is set to direct: it has no log');
      if (known?.name === name && known.created_at === createdAt) {
        if (known.partitions === partitions) return 'same';
        throw new Error(
          `the stream ${name} has ${known.partitions} partitions, which cannot be changed: set INGEST_PARTITIONS=${known.partitions}`,
        );
      }
      await client.query('delete from ingest.stream');
      await client.query('insert into ingest.stream (name, created_at, partitions) values ($1, $2, $3)', [
        name,
        createdAt,
        partitions,
      ]);
      await client.query('delete from ingest.partitions');
      await client.query('insert into ingest.partitions (partition) select generate_series(0, $1 - 1)', [partitions]);
      return known ? 'replaced' : 'first';
    });
  }

  takePartitions(writerId: string, missingAfterMs: number): Promise<Map<number, number>> {
    return withStorageErrors(async () => {
      const { rows } = await this.#pool.query<{ partition: number; position: number }>(
        `select * from ingest.take_partitions($1, $2 * interval '1 millisecond')`,
        [writerId, missingAfterMs],
      );
      return new Map(rows.map(({ partition, position }) => [partition, position]));
    });
  }

  leave(writerId: string): Promise<void> {
    return this.#inTransaction(async (client) => {
      await client.query('delete from ingest.writers where id = $1', [writerId]);
      await client.query('update ingest.partitions set writer_id = null where writer_id = $1', [writerId]);
    });
  }

  append(
    { writerId, partition, from, to }: PartitionRange,
    messages: readonly AcceptedMessage[],
    lockWaitMs = 0,
  ): Promise<Appended[]> {
    return withPartitionLost(async () => {
      const epoch = this.#epochs.current;
      const { rows } = await this.#pool.query<AppendedRow>({
        ...(messages.some(({ mentions }) => mentions) ? mentioningStatement : appendStatement),
        values: [
          writerId,
          partition,
          from,
          to,
          messages.map(({ chatId }) => chatId),
          messages.map(({ id }) => id),
          messages.map(({ sender }) => sender.id),
          messages.map(({ sender }) => sender.name),
          messages.map(({ clientMessageId }) => clientMessageId),
          messages.map(({ contentHash }) => contentHash),
          messages.map(({ text }) => text),
          toContents(messages),
          lockWaitMs,
        ],
      });
      this.#analysis.wrote(messages.length);
      return rows.map((row) => toAppended(row, epoch));
    });
  }

  isSettled({ partition, position, message, body }: Entry): Promise<boolean> {
    return withMessageErrors(async () => {
      const { rowCount: putAside } = await this.#pool.query(
        'select from ingest.refused where partition = $1 and position = $2 and body = $3 limit 1',
        [partition, position, Buffer.from(body)],
      );
      if (putAside || !message) return Boolean(putAside);
      const { rowCount } = await this.#pool.query(
        `select from messages where chat_id = $1 and sender_id = $2 and client_message_id = $3
         union all select where not exists (select from chats where id = $1) limit 1`,
        [message.chatId, message.sender.id, message.clientMessageId],
      );
      return Boolean(rowCount);
    });
  }

  refuse({ writerId, partition, from, to }: PartitionRange, body: Uint8Array, reason: string): Promise<void> {
    return withPartitionLost(() =>
      this.#inTransaction(async (client) => {
        await client.query('select ingest.move($1, $2, $3, $4)', [writerId, partition, from, to]);
        // A log that is read from its start again refuses the same entries again.
        await client.query(
          `insert into ingest.refused (partition, position, reason, body) select $1, $2, $3, $4
           where not exists (select from ingest.refused where partition = $1 and position = $2 and body = $4)`,
          [partition, to, reason.replaceAll('\0', ''), Buffer.from(body)],
        );
      }),
    );
  }

  #inTransaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    return withStorageErrors(async () => {
      const client = await this.#pool.connect();
      let failure: Error | undefined;
      try {
        await client.query('begin');
        const result = await work(client);
        await client.query('commit');
        return result;
      } catch (error) {
        await client.query('rollback').catch((broken: Error) => (failure = broken));
        throw error;
      } finally {
        client.release(failure);
      }
    });
  }
}

/** Turns the error of ingest.move into PartitionLost. */
async function withPartitionLost<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await withMessageErrors(work);
  } catch (error) {
    const { cause } = error as Error;
    if ((cause as { code?: string } | undefined)?.code !== partitionLost) throw error;
    throw new PartitionLost((cause as Error).message, { cause });
  }
}

function toCheck(row: CheckRow, sendingRoles: readonly ChatRole[], asService: boolean): AcceptanceCheck {
  const chatType = row.chat_type ?? undefined;
  const refused = (
    outcome: 'reused' | 'chat_not_found' | 'not_a_member' | 'role_too_low' | ReferenceRefusal,
  ): AcceptanceCheck => (chatType ? { outcome, chatType } : { outcome });
  if (row.other_mode) return { outcome: 'other_mode' };
  if (!chatType) return refused('chat_not_found');
  if (row.message_id !== null) {
    if (!row.same) return refused('reused');
    return { outcome: 'repeated', messageId: row.message_id, seq: row.seq, createdAt: row.created_at };
  }
  if (!asService && row.role === null) return refused('not_a_member');
  if (!asService && row.role !== null && !sendingRoles.includes(row.role)) return refused('role_too_low');
  if (row.may_reply === false) return refused('reply_not_found');
  if (row.may_join === false) return refused('root_not_found');
  return { outcome: 'acceptable' };
}
