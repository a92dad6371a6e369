import type pg from 'pg';
import type { SinkCursor, SinkCursorRepository, SinkPlace, ValidNumbers } from '../../sink-cursor-repository.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';

/** Chats that get their cursor in one statement when a sink is new. Writers of these chats wait for it. */
const backfillBatch = 500;
/** An id that comes before those of all chats. */
const beforeAll = '00000000-0000-0000-0000-000000000000';

/**
 * The cursors of one sink, in the table export.cursors. Triggers record every change of a chat there, in the transaction that makes the change.
 * No method waits for another transaction while it holds a lock, so writers never wait for a relay that is slow.
 */
export class PostgresSinkCursorRepository implements SinkCursorRepository {
  readonly #pool: pg.Pool;
  readonly #sink: string;
  /** Chats are claimed in the order of their ids, round after round: chats that always have changes must not keep the others waiting. */
  #lastClaimed = beforeAll;

  /** `sink` names the sink for ever: under another name it would get everything again. */
  constructor({ pool }: Pick<Database, 'pool'>, sink: string) {
    this.#pool = pool;
    this.#sink = sink;
  }

  enable(): Promise<void> {
    return withStorageErrors(async () => {
      await this.#pool.query('select export.enable($1)', [this.#sink]);
      const noteOld = () =>
        this.#pool.query<{ more: boolean }>('select export.note_old($1, $2) as more', [this.#sink, backfillBatch]);
      while ((await noteOld()).rows[0]?.more);
    });
  }

  claim(limit: number, leaseMs: number): Promise<SinkCursor[]> {
    return withStorageErrors(async () => {
      const isMidRound = this.#lastClaimed !== beforeAll;
      const chats = await this.#claimNext(limit, leaseMs);
      return chats.length === 0 && isMidRound ? this.#claimNext(limit, leaseMs) : chats;
    });
  }

  release({ chatId, exportedSeq, position, epoch, replay }: SinkPlace): Promise<void> {
    return withStorageErrors(async () => {
      // A relay whose lease has expired must not move the cursor back behind the relay that went on.
      await this.#pool.query(
        `update export.cursors set exported_seq = $3, position = $4, leased_until = null
         where chat_id = $1 and sink = $2 and exported_seq <= $3 and present_epoch() = $5 and replay = $6`,
        [chatId, this.#sink, exportedSeq, position, epoch, replay],
      );
    });
  }

  move({ chatId, exportedSeq, position, epoch }: Omit<SinkPlace, 'replay'>): Promise<void> {
    return withStorageErrors(async () => {
      await this.#pool.query(
        `insert into export.cursors as k (chat_id, sink, last_seq, exported_seq, position)
         select id, $2, last_seq, $3, $4 from chats where id = $1 and present_epoch() = $5
         on conflict (chat_id, sink) do update set last_seq = greatest(k.last_seq, excluded.last_seq),
           exported_seq = excluded.exported_seq, position = excluded.position, leased_until = null`,
        [chatId, this.#sink, exportedSeq, position, epoch],
      );
    });
  }

  forget(chatId: string): Promise<void> {
    return withStorageErrors(async () => {
      await this.#pool.query(
        `delete from export.cursors where chat_id = $1 and sink = $2
         and not exists (select from chats where id = $1)`,
        [chatId, this.#sink],
      );
    });
  }

  findValid(cursors: ReadonlyMap<string, string>): Promise<ValidNumbers> {
    return withStorageErrors(async () => {
      const { rows } = await this.#pool.query<{ epoch: string; id: string | null; valid: number }>(
        `select present_epoch() as epoch, valid.* from (select) as one left join (
           select k.id, valid_through(k.id, coalesce(nullif(k.epoch, ''), (select id from epochs order by place limit 1))) as valid
           from unnest($1::uuid[], $2::text[]) as k (id, epoch) join chats c on c.id = k.id
         ) valid on true`,
        [[...cursors.keys()], [...cursors.values()]],
      );
      const valid = rows.flatMap(({ id, valid }) => (id === null ? [] : [[id, valid] as const]));
      return { epoch: rows[0]!.epoch, valid: new Map(valid) };
    });
  }

  findUncheckedEpoch(): Promise<string | undefined> {
    return withStorageErrors(async () => {
      const { rows } = await this.#pool.query<{ epoch: string }>(
        'select present_epoch() as epoch from export.sinks where name = $1 and checked_epoch is distinct from present_epoch()',
        [this.#sink],
      );
      return rows[0]?.epoch;
    });
  }

  noteChecked(epoch: string): Promise<void> {
    return withStorageErrors(async () => {
      await this.#pool.query('update export.sinks set checked_epoch = $2 where name = $1 and present_epoch() = $2', [
        this.#sink,
        epoch,
      ]);
    });
  }

  async #claimNext(limit: number, leaseMs: number): Promise<SinkCursor[]> {
    const { rows } = await this.#pool.query<SinkCursor>(
      `with claimed as (
         update export.cursors c set leased_until = clock_timestamp() + $2 * interval '1 millisecond'
         from (
           select chat_id from export.cursors
           where sink = $4 and (last_seq > exported_seq or deleted)
             and (leased_until is null or leased_until < clock_timestamp()) and chat_id > $3
           order by chat_id limit $1 for update skip locked
         ) pending
         where c.chat_id = pending.chat_id and c.sink = $4
         returning c.chat_id as "chatId", c.exported_seq as "exportedSeq", c.position, c.deleted, c.replay
       )
       select *, present_epoch() as epoch from claimed order by "chatId"`,
      [limit, leaseMs, this.#lastClaimed, this.#sink],
    );
    this.#lastClaimed = (rows.length === limit && rows.at(-1)?.chatId) || beforeAll;
    return rows;
  }
}
