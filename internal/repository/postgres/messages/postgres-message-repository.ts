import { type Kysely, sql } from 'kysely';
import type pg from 'pg';
import type { ChatType } from '../../../model/chat.ts';
import { type Entry, messageOf } from '../../../model/entry.ts';
import { ChatError } from '../../../model/errors.ts';
import type { ChatRole } from '../../../model/member.ts';
import type { Message } from '../../../model/message.ts';
import type { MessagePage } from '../../../model/message-page.ts';
import type { Reader } from '../../guard.ts';
import type { Appended, ChangesPage, HistoryRange, MessageRepository, NewMessage } from '../../message-repository.ts';
import type { Database } from '../connection/database.ts';
import { isAnyOf } from '../connection/is-any-of.ts';
import { ReadBatch } from '../connection/read-batch.ts';
import { readInChat } from '../connection/read-in-chat.ts';
import { withMessageErrors, withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { changesPerEntry, type EntryRow, reactionUnder, toPage } from './changes-page.ts';
import { FirstAnalysis } from './first-analysis.ts';
import {
  columnsOf,
  completed,
  type HistoryRow,
  referencedBy,
  selectPage,
  toMessagePage,
  toMessageWithThread,
} from './history-rows.ts';
import { findMentionFaults, toCandidate } from './mention-faults.ts';
import { type MessageRow, messageColumns, toContents, toMessage } from './message-row.ts';
import { setMentions } from './set-mentions.ts';
import { SharedPages } from './shared-pages.ts';

const appendStatement = {
  name: 'append_messages',
  // In the other mode the condition, which depends on no row, is false before the function is called.
  text: `select * from append_messages($1, $2, $3, $4, $5, $6, $7, $8::jsonb[], $9, $10, true, $11)
    where exists (select from ingest.mode where mode is distinct from 'jetstream')`,
};

/** For a batch with mentions, which are set in the same transaction. */
const mentioningStatement = {
  name: 'append_messages_mentioning',
  text: `
    with appended as materialized (
      select a.*, ($1::uuid[])[a.place] as chat_id, ($8::jsonb[])[a.place] -> 'mentions' as list
      from append_messages($1, $2, $3, $4, $5, $6, $7, $8::jsonb[], $9, $10, true, $11)
        with ordinality as a (outcome, chat_type, message_id, seq, created_at, reply_to_seq, root_id, place)
      where exists (select from ingest.mode where mode is distinct from 'jetstream')
    ),
    ${setMentions('appended')}
    select a.outcome, a.chat_type, a.message_id, a.seq, a.created_at, a.reply_to_seq, a.root_id
    from appended a left join mentioned on true order by a.place`,
};

export interface MembershipKey {
  chatId: string;
  userId: string;
}

/** A row that append_messages returns. */
export interface AppendedRow {
  outcome: Appended['outcome'];
  chat_type: ChatType | null;
  message_id: string;
  seq: number;
  created_at: Date;
  reply_to_seq: number | null;
  root_id: string | null;
}

export class PostgresMessageRepository implements MessageRepository {
  readonly #pool: pg.Pool;
  readonly #reads: Kysely<Tables>;
  readonly #epochs: Database['epochs'];
  readonly #analysis: FirstAnalysis;
  readonly #pages = new SharedPages();
  readonly #memberships = new ReadBatch((keys: readonly MembershipKey[]) => this.#areMembers(keys));

  constructor({ pool, reads, epochs }: Database) {
    this.#pool = pool;
    this.#epochs = epochs;
    this.#analysis = new FirstAnalysis(pool);
    this.#reads = reads;
    // A page of the epoch before may contain what is no longer in the database.
    epochs.onChange(() => this.#pages.forgetAll());
  }

  /**
   * Opens connections and makes each plan append_messages. A plan that is made while the first few hundred messages of a new database are
   * written may use the wrong index, and stays in use until the tables are analyzed, a minute later.
   */
  async warmUp(connections: number): Promise<void> {
    await Promise.all(Array.from({ length: connections }, () => this.appendBatch([], [])));
  }

  appendBatch(batch: readonly NewMessage[], sendingRoles: readonly ChatRole[], lockWaitMs = 0): Promise<Appended[]> {
    return withMessageErrors(async () => {
      const faults = await findMentionFaults(this.#pool, 'messages', batch.map(toCandidate), sendingRoles);
      if (faults.size === 0) return this.#append(batch, sendingRoles, lockWaitMs);
      const passed = batch.filter((_, index) => !faults.has(index));
      const appended = passed.length > 0 ? await this.#append(passed, sendingRoles, lockWaitMs) : [];
      return batch.map(({ id }, index) => {
        const mentionFault = faults.get(index);
        if (!mentionFault) return appended.shift()!;
        return { outcome: 'mention_refused', mentionFault, messageId: id, seq: 0, createdAt: new Date(0) };
      });
    });
  }

  async #append(
    batch: readonly NewMessage[],
    sendingRoles: readonly ChatRole[],
    lockWaitMs: number,
  ): Promise<Appended[]> {
    const epoch = this.#epochs.current;
    const { rows } = await this.#pool.query<AppendedRow>({
      ...(batch.some(({ mentions }) => mentions) ? mentioningStatement : appendStatement),
      values: [
        batch.map(({ chatId }) => chatId),
        batch.map(({ id }) => id),
        batch.map(({ sender }) => sender.id),
        batch.map(({ sender }) => sender.name),
        batch.map(({ clientMessageId }) => clientMessageId),
        batch.map(({ contentHash }) => contentHash),
        batch.map(({ text }) => text),
        toContents(batch),
        sendingRoles,
        batch.flatMap(({ asService }, index) => (asService ? [index + 1] : [])),
        lockWaitMs,
      ],
    });
    if (rows.length < batch.length) throw otherMode();
    this.#analysis.wrote(batch.length);
    return rows.map((row) => toAppended(row, epoch));
  }

  async get(chatId: string, messageId: string, reader?: Reader): Promise<Message> {
    return (await this.getWithReferences(chatId, messageId, reader)).message;
  }

  getWithReferences(
    chatId: string,
    messageId: string,
    reader?: Reader,
  ): Promise<{ message: Message; referenced: Message[] }> {
    return withStorageErrors(async () => {
      const query = sql<HistoryRow>`
        with shown as (
          select ${columnsOf('m')}, 'page' as part from messages m
          where m.chat_id = ${chatId} and m.id = ${messageId} and not m.hidden
        )
        ${completed(chatId, reader)}`;
      const rows = await readInChat(this.#reads, chatId, query, reader);
      const row = rows.find(({ part }) => part === 'page');
      if (!row) throw new ChatError('MESSAGE_NOT_FOUND', 'there is no such message in this chat');
      const message = toMessageWithThread(row);
      return { message, referenced: referencedBy([message], rows) };
    });
  }

  listReferenced(chatId: string, entries: readonly Entry[], reader: Reader): Promise<Message[]> {
    return withStorageErrors(async () => {
      const own = new Set(entries.flatMap((entry) => messageOf(entry)?.seq ?? []));
      const seqs = new Set(entries.flatMap((entry) => messageOf(entry)?.replyTo?.seq ?? []));
      const wanted = [...seqs].filter((seq) => !own.has(seq));
      if (wanted.length === 0) return [];
      const query = sql<MessageRow>`
        select ${columnsOf('m')} from messages m where m.chat_id = ${chatId} and m.seq = any (${wanted}::bigint[]) order by m.seq`;
      return (await readInChat(this.#reads, chatId, query, reader)).map(toMessage);
    });
  }

  listHistory(chatId: string, range: HistoryRange, limit: number, reader?: Reader): Promise<MessagePage> {
    return withStorageErrors(async () => {
      const query = sql<HistoryRow>`
        with page as (${selectPage(chatId, range, limit)}), shown as (select *, 'page' as part from page)
        ${completed(chatId, reader)}`;
      return toMessagePage(await readInChat(this.#reads, chatId, query, reader), range, limit);
    });
  }

  findChanges(chatId: string, afterSeq: number, limit: number): Promise<ChangesPage | undefined> {
    return this.#findChanges(chatId, afterSeq, limit);
  }

  /** Readers who are behind in the same chat share a page. The membership of each is checked after the page was read, in one query for all. */
  async findChangesAsMember(
    chatId: string,
    userId: string,
    afterSeq: number,
    limit: number,
  ): Promise<ChangesPage | undefined> {
    const read = () => this.#findChanges(chatId, afterSeq, limit, userId);
    const { page, shared } = await this.#pages.get(chatId, { afterSeq, limit }, read);
    return !shared || (await this.#memberships.load({ chatId, userId })) ? page : undefined;
  }

  forgetPages(chatId: string): void {
    this.#pages.forget(chatId);
  }

  #areMembers(keys: readonly MembershipKey[]): Promise<boolean[]> {
    return withStorageErrors(async () => {
      const chatIds = keys.map(({ chatId }) => chatId);
      const userIds = keys.map(({ userId }) => userId);
      const { rows } = await sql<{ member: boolean }>`
        select exists (select from members m where m.chat_id = k.chat_id and m.user_id = k.user_id) as member
        from unnest(${chatIds}::uuid[], ${userIds}::text[]) with ordinality as k (chat_id, user_id, place)
        order by place`.execute(this.#reads);
      return rows.map(({ member }) => member);
    });
  }

  /** One statement, so that messages, changes, number and membership are read in one snapshot. */
  #findChanges(chatId: string, afterSeq: number, limit: number, userId?: string): Promise<ChangesPage | undefined> {
    return withStorageErrors(async () => {
      const columns = sql.join(messageColumns.map((column) => sql.ref(`m.${column}`)));
      const member =
        userId === undefined
          ? sql``
          : sql`and exists (select from members where chat_id = ${chatId} and user_id = ${userId})`;
      const { rows } = await sql<EntryRow>`
        with chat as (select last_seq from chats where id = ${chatId} ${member}),
        sent as (
          select null::bigint as change_seq, null::jsonb as reaction, ${columns} from messages m
          where m.chat_id = ${chatId} and m.seq > ${afterSeq}
          order by m.seq limit ${limit}
        ),
        changed as (
          select e.seq as change_seq, case when e.kind = 'reacted' then ${reactionUnder(chatId)} end as reaction, ${columns}
          from (
            select seq, kind, message_seq from changes where chat_id = ${chatId} and seq > ${afterSeq} and kind <> 'chat_updated'
              -- What comes after the last message of a full page is for a later page.
              and seq < (select case when count(*) < ${limit} then 9223372036854775807 else max(seq) end from sent)
            order by seq limit ${limit * changesPerEntry}
          ) e
          left join messages m on m.chat_id = ${chatId} and m.seq = e.message_seq and m.update_seq = e.seq
        )
        select chat.last_seq, e.* from chat
        left join (select * from sent union all select * from changed) e on true
        order by coalesce(e.change_seq, e.seq)`.execute(this.#reads);
      return rows[0] && toPage(rows, { chatId, afterSeq, limit, lastSeq: rows[0].last_seq });
    });
  }

  listHeads(chatIds: readonly string[]): Promise<Map<string, number>> {
    return withStorageErrors(async () => {
      const rows = await this.#reads
        .selectFrom('chats')
        .select(['id', 'last_seq'])
        .where(({ ref }) => isAnyOf(ref('id'), chatIds, 'uuid'))
        .execute();
      return new Map(rows.map(({ id, last_seq }) => [id, last_seq]));
    });
  }
}

function otherMode(): ChatError {
  return new ChatError('STORAGE_UNAVAILABLE', 'this node cannot store messages any more', {
    retryAfterMs: 1_000,
    cause: new Error('the database is set to INGEST=jetstream now: restart this node with that setting'),
  });
}

/** `epoch`: the present one when the statement was begun, so that it is never later than that of the commit. */
export function toAppended(row: AppendedRow, epoch: string): Appended {
  return {
    outcome: row.outcome,
    ...(row.chat_type && { chatType: row.chat_type }),
    messageId: row.message_id,
    seq: row.seq,
    createdAt: row.created_at,
    ...(row.outcome === 'stored' && { epoch }),
    ...(row.reply_to_seq !== null && { replyToSeq: row.reply_to_seq }),
    ...(row.root_id !== null && { rootId: row.root_id }),
  };
}
