import { type Kysely, sql, type Transaction } from 'kysely';
import { ChatError, invalidFieldsError } from '../../../model/errors.ts';
import type { User } from '../../../model/user.ts';
import type { Replay, ReplayRequest, SinkReplayRepository } from '../../sink-replay-repository.ts';
import { audit } from '../audit/audit.ts';
import type { Database } from '../connection/database.ts';
import { inTransaction } from '../connection/in-transaction.ts';
import type { Tables } from '../connection/tables.ts';

export class PostgresSinkReplayRepository implements SinkReplayRepository {
  readonly #db: Kysely<Tables>;

  constructor({ db }: Pick<Database, 'db'>) {
    this.#db = db;
  }

  replay(actor: User, { sink, chatId, from, reason }: ReplayRequest): Promise<Replay | undefined> {
    return inTransaction(this.#db, async (tx) => {
      const sinks = await sql<{ name: string }>`select name from export.sinks order by name`.execute(tx);
      const names = sinks.rows.map(({ name }) => name);
      if (!names.includes(sink)) throw noSink(names);
      const first = typeof from === 'number' ? from : await findFirstSince(tx, chatId, from);
      const replay = first === undefined ? undefined : await putBack(tx, sink, chatId, first);
      if (!replay) {
        await checkChat(tx, sink, chatId);
        return undefined;
      }
      const detail = { sink, from_seq: replay.fromSeq, to_seq: replay.toSeq, replay: replay.replay, reason };
      await audit(tx, actor, 'export.replay', chatId, detail);
      return replay;
    });
  }
}

/** Returns the first number of the chat that was given out at that time or later. */
async function findFirstSince(tx: Transaction<Tables>, chatId: string, since: Date): Promise<number | undefined> {
  const { rows } = await sql<{ first: number | null }>`
    select least(
      (select seq from messages where chat_id = ${chatId} and created_at >= ${since} order by seq limit 1),
      (select seq from changes where chat_id = ${chatId} and created_at >= ${since} order by seq limit 1)
    ) as first`.execute(tx);
  return rows[0]?.first ?? undefined;
}

/** A relay that has claimed the chat moves the cursor no more, because its replay is another one; the next one finds no lease. */
async function putBack(
  tx: Transaction<Tables>,
  sink: string,
  chatId: string,
  fromSeq: number,
): Promise<Replay | undefined> {
  const { rows } = await sql<Replay>`
    update export.cursors k set exported_seq = ${fromSeq} - 1, position = 0, replay = k.replay + 1, leased_until = null
    from (select exported_seq from export.cursors where chat_id = ${chatId} and sink = ${sink} for update) as before
    where k.chat_id = ${chatId} and k.sink = ${sink} and not k.deleted and before.exported_seq >= ${fromSeq}
    returning ${fromSeq}::bigint as "fromSeq", before.exported_seq as "toSeq", k.replay`.execute(tx);
  return rows[0];
}

async function checkChat(tx: Transaction<Tables>, sink: string, chatId: string): Promise<void> {
  const { rows } = await sql`
    select from export.cursors where chat_id = ${chatId} and sink = ${sink} and not deleted`.execute(tx);
  if (rows.length === 0) throw new ChatError('CHAT_NOT_FOUND', 'the sink has no such chat');
}

function noSink(names: readonly string[]): ChatError {
  const there = names.length > 0 ? `must be one of the sinks: ${names.join(', ')}` : 'is none: no sink has been used';
  return invalidFieldsError({ field: 'sink', description: there });
}
