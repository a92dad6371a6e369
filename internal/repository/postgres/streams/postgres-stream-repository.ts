import { type Kysely, sql } from 'kysely';
import type pg from 'pg';
import type { ChatType } from '../../../model/chat.ts';
import type { IdleStream, NewStreamWrite, Streamed, StreamRepository, StreamRules } from '../../stream-repository.ts';
import type { Database } from '../connection/database.ts';
import { withMessageErrors, withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { type MessageRow, toMessage } from '../messages/message-row.ts';

const appendStatement = {
  name: 'append_parts',
  text: `select * from append_parts($1, $2, $3, $4, $5, $6, $7, $8, $9::text[]::jsonb[], $10,
    array(select m * interval '1 millisecond' from unnest($11::float8[]) with ordinality as i (m, place) order by place), $12, $13, $14, $15)`,
};

/** What a sender may give another message, but not a streamed one. */
const notStreamed = { type: null, silent: null, reply_to_seq: null, reply_to_id: null, root_id: null };

/** A row that append_parts returns; with the message if it was ended. */
type StreamedRow = Omit<MessageRow, keyof typeof notStreamed> & {
  outcome: Streamed['outcome'];
  chat_type: ChatType | null;
  change_seq: number;
  changed_at: Date;
  stream_id: string;
  accepted_part: number | null;
  chars_before: number;
  added: string | null;
};

export class PostgresStreamRepository implements StreamRepository {
  readonly #pool: pg.Pool;
  readonly #db: Kysely<Tables>;
  readonly #epochs: Database['epochs'];

  constructor({ pool, db, epochs }: Database) {
    this.#pool = pool;
    this.#db = db;
    this.#epochs = epochs;
  }

  appendBatch(batch: readonly NewStreamWrite[], rules: StreamRules, lockWaitMs = 0): Promise<Streamed[]> {
    return withMessageErrors(async () => {
      // Before the statement: never later than that of the commit.
      const epoch = this.#epochs.current;
      const { rows } = await this.#pool.query<StreamedRow>({
        ...appendStatement,
        values: [
          batch.map(({ chatId }) => chatId),
          batch.map(({ kind }) => kind),
          batch.map(({ messageId }) => messageId),
          batch.map(({ actor }) => actor.id),
          batch.map(({ actor }) => actor.name),
          batch.map((write) => (write.kind === 'start' ? write.clientMessageId : null)),
          batch.map((write) => (write.kind === 'start' ? write.contentHash : null)),
          batch.map((write) => (write.kind === 'part' ? write.firstPart : null)),
          batch.map((write) => JSON.stringify(textsOf(write))),
          batch.map((write) => (write.kind === 'end' ? write.outcome : null)),
          batch.map((write) => (write.kind === 'end' ? (write.ifIdleMs ?? null) : null)),
          batch.flatMap(({ asService }, index) => (asService ? [index + 1] : [])),
          rules.sendingRoles,
          rules.maxTextLength,
          lockWaitMs,
        ],
      });
      return rows.map((row, i) => toStreamed(row, batch[i]!, epoch));
    });
  }

  findIdle(idleMs: number, limit: number): Promise<IdleStream[]> {
    return withStorageErrors(async () => {
      // A deletion has ended the stream, and leaves the column as it was.
      await sql`update messages set streaming = null where streaming = 'streaming' and deleted_at is not null`.execute(
        this.#db,
      );
      const { rows } = await sql<{ chat_id: string; id: string; sender_id: string; sender_name: string }>`
        select chat_id, id, sender_id, sender_name from messages
        where streaming = 'streaming' and streamed_at <= clock_timestamp() - ${idleMs} * interval '1 millisecond'
        limit ${limit}`.execute(this.#db);
      return rows.map(({ chat_id, id, sender_id, sender_name }) => ({
        chatId: chat_id,
        messageId: id,
        sender: { id: sender_id, name: sender_name },
      }));
    });
  }
}

function textsOf(write: NewStreamWrite): readonly string[] {
  switch (write.kind) {
    case 'start':
      return [write.text];
    case 'part':
      return write.texts;
    case 'end':
      return [];
    default:
      return write satisfies never;
  }
}

function toStreamed(row: StreamedRow, { kind, chatId }: NewStreamWrite, epoch: string): Streamed {
  const { outcome, chat_type, change_seq: seq, changed_at: createdAt, stream_id: messageId } = row;
  const nextPart = (row.accepted_part ?? 0) + 1;
  const place = { messageId, seq, createdAt, nextPart };
  switch (outcome) {
    case 'stored': {
      if (kind === 'start') return { outcome, ...place, epoch, what: { kind } };
      if (kind === 'end')
        return { outcome, ...place, epoch, what: { kind, message: toMessage({ ...row, ...notStreamed }) } };
      const part = { chatId, messageId, seq, offset: row.chars_before, text: row.added ?? '' };
      return { outcome, ...place, epoch, what: { kind, part } };
    }
    case 'repeated':
      return { outcome, ...place };
    case 'part_missing':
      return { outcome, nextPart };
    default:
      return { outcome, ...(chat_type && { chatType: chat_type }) };
  }
}
