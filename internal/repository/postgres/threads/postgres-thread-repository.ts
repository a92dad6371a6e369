import { type Kysely, sql } from 'kysely';
import type { ChatType } from '../../../model/chat.ts';
import { ChatError } from '../../../model/errors.ts';
import type { ChatRole } from '../../../model/member.ts';
import type { FollowedThread, ThreadPage } from '../../../model/message-page.ts';
import type { Page } from '../../../model/page.ts';
import type { Reader } from '../../guard.ts';
import type { HistoryRange } from '../../message-repository.ts';
import type { FollowedKey, ThreadMark, ThreadOfReader, ThreadRepository } from '../../thread-repository.ts';
import { chatNotFound } from '../connection/chat-not-found.ts';
import type { Database } from '../connection/database.ts';
import { readInChat } from '../connection/read-in-chat.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import {
  columnsOf,
  completed,
  type HistoryRow,
  selectPage,
  toMessagePage,
  toMessageWithThread,
} from '../messages/history-rows.ts';
import { threadUnreadCount } from './thread-unread-count.ts';

/** What a statement about a thread returns of the chat, of the reader's membership and of the thread. */
interface ThreadRow {
  chat_type: ChatType;
  own_role: ChatRole | null;
  last_seq: number;
  root_seq: number | null;
  is_system: boolean | null;
}

type FollowedRow = HistoryRow & { read_seq: number; unread_count: number; active_at: string };

export class PostgresThreadRepository implements ThreadRepository {
  readonly #db: Kysely<Tables>;
  readonly #reads: Kysely<Tables>;

  constructor({ db, reads }: Pick<Database, 'db' | 'reads'>) {
    this.#db = db;
    this.#reads = reads;
  }

  list({ chatId, messageId, reader }: ThreadOfReader, range: HistoryRange, limit: number): Promise<ThreadPage> {
    return withStorageErrors(async () => {
      const inThread = sql`and m.root_seq = (select seq from root)`;
      const query = sql<HistoryRow & { read_seq: number | null }>`
        with root as (
          select ${columnsOf('m')} from messages m
          where m.chat_id = ${chatId} and not m.hidden and m.seq = (
            select coalesce(named.root_seq, named.seq) from messages named
            where named.chat_id = ${chatId} and named.id = ${messageId} and not named.hidden)
        ),
        page as (${selectPage(chatId, range, limit, inThread)}),
        shown as (select *, 'root' as part from root union all select *, 'page' as part from page)
        select p.*, f.read_seq from (${completed(chatId, reader)}) p
        left join thread_follows f
          on p.part = 'root' and f.chat_id = ${chatId} and f.user_id = ${reader.userId} and f.root_seq = p.seq
        order by p.seq`;
      const rows = await readInChat(this.#reads, chatId, query, reader);
      const root = rows.find(({ part }) => part === 'root');
      if (!root) throw messageNotFound();
      return {
        root: toMessageWithThread(root),
        ...toMessagePage(rows, range, limit),
        ...(root.read_seq !== null && { readSeq: root.read_seq }),
      };
    });
  }

  follow(thread: ThreadOfReader): Promise<void> {
    return this.#change(
      thread,
      // The lock keeps the membership until this is committed: its end then ends the following, too.
      sql`insert into thread_follows (chat_id, user_id, root_seq, read_seq)
        select ${thread.chatId}, own.user_id, named.root_seq, chat.last_seq
        from chat, named, (
          select user_id from members where chat_id = ${thread.chatId} and user_id = ${thread.reader.userId} for key share
        ) own
        where not named.is_system
        on conflict do nothing returning null::bigint as read_seq, null::integer as unread_count`,
      (row) => {
        if (row.is_system) throw new ChatError('SYSTEM_MESSAGE', 'nobody can reply to a system message');
      },
    );
  }

  unfollow(thread: ThreadOfReader): Promise<void> {
    return this.#change(
      thread,
      sql`delete from thread_follows f using named
        where f.chat_id = ${thread.chatId} and f.user_id = ${thread.reader.userId} and f.root_seq = named.root_seq
        returning null::bigint as read_seq, null::integer as unread_count`,
      () => {},
    );
  }

  markRead(thread: ThreadOfReader, seq: number): Promise<ThreadMark> {
    const { chatId, reader } = thread;
    return this.#change(
      thread,
      sql`update thread_follows f set read_seq = greatest(f.read_seq, ${seq})
        from chat, named, members own
        where f.chat_id = ${chatId} and f.user_id = ${reader.userId} and f.root_seq = named.root_seq
          and own.chat_id = ${chatId} and own.user_id = ${reader.userId} and ${seq} <= chat.last_seq
        returning f.read_seq,
          ${threadUnreadCount({ readSeq: sql`greatest(f.read_seq, ${seq})`, userId: reader.userId })} as unread_count`,
      ({ last_seq, read_seq, unread_count }) => {
        if (seq > last_seq) {
          const description = `must be at most ${last_seq}, the chat's last number`;
          throw new ChatError('CURSOR_IN_FUTURE', `seq ${description}`, {
            violations: [{ field: 'seq', description }],
          });
        }
        if (read_seq === null || unread_count === null)
          throw new ChatError('THREAD_NOT_FOLLOWED', 'you do not follow this thread');
        return { readSeq: read_seq, unreadCount: unread_count };
      },
    );
  }

  listFollowed(
    userId: string,
    chatId: string | undefined,
    limit: number,
    after?: FollowedKey,
  ): Promise<Page<FollowedThread, FollowedKey>> {
    return withStorageErrors(async () => {
      const activeAt = sql`coalesce(t.last_at, f.followed_at)`;
      const ofChat = chatId === undefined ? sql`` : sql`and f.chat_id = ${chatId}`;
      const further = after
        ? sql`and (${activeAt}, f.chat_id, f.root_seq) < (${after.activeAt}::timestamptz, ${after.chatId}::uuid, ${after.rootSeq})`
        : sql``;
      const { rows } = await sql<FollowedRow>`
        with followed as (
          select f.*, own.joined_seq, ${activeAt} as active_at, to_json(t) as thread
          from thread_follows f
          join members own on own.chat_id = f.chat_id and own.user_id = f.user_id
          join messages root on root.chat_id = f.chat_id and root.seq = f.root_seq and not root.hidden
          left join threads t on t.chat_id = f.chat_id and t.root_seq = f.root_seq
          where f.user_id = ${userId} ${ofChat} ${further}
          order by active_at desc, f.chat_id desc, f.root_seq desc limit ${limit + 1}
        )
        select ${columnsOf('m')}, 'root' as part, f.thread, f.read_seq, f.active_at::text as active_at,
          ${threadUnreadCount({ readSeq: sql`f.read_seq`, userId, joinedSeq: sql`f.joined_seq` })} as unread_count
        from followed f
        join messages m on m.chat_id = f.chat_id and m.seq = f.root_seq
        order by f.active_at desc, f.chat_id desc, f.root_seq desc`.execute(this.#reads);
      const shown = rows.slice(0, limit);
      const items = shown.map((row) => ({
        root: toMessageWithThread(row),
        readSeq: row.read_seq,
        unreadCount: row.unread_count,
      }));
      const last = shown.at(-1);
      if (!last || rows.length <= limit) return { items };
      return { items, next: { activeAt: last.active_at, chatId: last.chat_id, rootSeq: last.seq } };
    });
  }

  /**
   * Runs a statement about the reader's own following, which finds the chat as `chat` and the thread as `named`, and passes what it returned to `settle`. The
   * statement must write nothing for a user who is not a member: the guard is called afterwards.
   */
  #change<T>(
    { chatId, messageId, reader }: ThreadOfReader,
    statement: ReturnType<typeof sql>,
    settle: (row: ThreadRow & { read_seq: number | null; unread_count: number | null }) => T,
  ): Promise<T> {
    return withStorageErrors(async () => {
      const { rows } = await sql<Parameters<typeof settle>[0]>`
        with chat as (select id, type, last_seq from chats where id = ${chatId}),
        named as (
          select root.seq as root_seq, root.system is not null as is_system
          from messages m
          join messages root on root.chat_id = m.chat_id and root.seq = coalesce(m.root_seq, m.seq) and not root.hidden
          where m.chat_id = ${chatId} and m.id = ${messageId} and not m.hidden
        ),
        changed as (${statement})
        select chat.type as chat_type, own.role as own_role, chat.last_seq, named.root_seq, named.is_system, changed.*
        from chat
        left join members own on own.chat_id = chat.id and own.user_id = ${reader.userId}
        left join named on true
        left join changed on true`.execute(this.#db);
      const [row] = rows;
      if (!row) throw chatNotFound();
      authorize(reader, chatId, row);
      if (row.root_seq === null) throw messageNotFound();
      return settle(row);
    });
  }
}

function authorize({ guard }: Reader, chatId: string, { chat_type: type, own_role: role }: ThreadRow): void {
  guard({ chat: { id: chatId, type }, ...(role && { role }) });
}

function messageNotFound(): ChatError {
  return new ChatError('MESSAGE_NOT_FOUND', 'there is no such message in this chat');
}
