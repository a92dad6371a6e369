import { type Kysely, sql } from 'kysely';
import type { BackgroundWork, SinkState } from '../../../model/background-work.ts';
import type { BackgroundWorkRepository } from '../../background-work-repository.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';

export class PostgresBackgroundWorkRepository implements BackgroundWorkRepository {
  readonly #reads: Kysely<Tables>;

  constructor({ reads }: Pick<Database, 'reads'>) {
    this.#reads = reads;
  }

  /** Chats whose oldest waiting change is looked at. */
  readonly #looked = 100;

  /** Each count reads an index, and no more of it than `atMost` entries. */
  read(atMost: number): Promise<BackgroundWork> {
    return withStorageErrors(async () => {
      const sinks = await sql<SinkState>`
        select s.name, s.enabled,
          (select count(*) from (select from export.cursors k
            where k.sink = s.name and (k.last_seq > k.exported_seq or k.deleted) limit ${atMost}) as waiting)::integer as "waitingChats",
          case when s.backfilled then 0 else
            (select count(*) from (select from chats c where c.id > s.backfilled_through limit ${atMost}) as old)::integer
          end as "chatsToRegister",
          (select extract(epoch from clock_timestamp() - min(oldest.created_at))::double precision
            from (select k.chat_id, k.exported_seq from export.cursors k
              where k.sink = s.name and k.last_seq > k.exported_seq limit ${this.#looked}) as waiting
            cross join lateral (
              (select created_at from messages m
                where m.chat_id = waiting.chat_id and m.seq > waiting.exported_seq order by m.seq limit 1)
              union all
              (select created_at from changes e
                where e.chat_id = waiting.chat_id and e.seq > waiting.exported_seq order by e.seq limit 1)
            ) as oldest
          ) as "lagSeconds"
        from export.sinks s order by s.name`.execute(this.#reads);
      const deleted = await sql<{ count: number }>`
        select count(*)::integer as count from (select from deleted_chats limit ${atMost}) as left_over`.execute(
        this.#reads,
      );
      return { sinks: sinks.rows, deletedChats: deleted.rows[0]!.count, atMost };
    });
  }
}
