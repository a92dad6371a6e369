import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Chat, ChatType } from '../../../model/chat.ts';
import type { ChatRole } from '../../../model/member.ts';
import type { Message } from '../../../model/message.ts';
import type { Page } from '../../../model/page.ts';
import type { ChatsKey } from '../../chat-repository.ts';
import { chatNotFound } from '../connection/chat-not-found.ts';
import type { Tables } from '../connection/tables.ts';
import { mentionCount } from '../members/mention-count.ts';
import { unreadCount } from '../members/unread-count.ts';
import { type MessageRow, toMessage } from '../messages/message-row.ts';
import { countFitting } from '../messages/page-chars.ts';

interface ChatRow {
  id: string;
  type: ChatType;
  name: string;
  description: string | null;
  data: Record<string, unknown> | null;
  last_seq: number;
  created_at: Date;
  created_by: string;
  member_count: number;
  role: ChatRole | null;
  joined_seq: number | null;
  read_seq: number | null;
  unread_count: number;
  mention_count: number;
  read_generation: number | null;
  muted_until: Date | null;
  peer_id: string | null;
  peer_name: string | null;
}

/** Selects chats as one user sees them, with the user's membership and the other user of a direct chat. */
function chatsSeenBy(db: Kysely<Tables>, userId: string) {
  return db
    .selectFrom('chats as c')
    .leftJoin('members as own', (join) => join.onRef('own.chat_id', '=', 'c.id').on('own.user_id', '=', userId))
    .leftJoin('chat_details as d', 'd.chat_id', 'c.id')
    .select([
      'c.id',
      'c.type',
      'c.name',
      'd.description',
      'd.data',
      'c.last_seq',
      'c.created_at',
      'c.created_by',
      'c.member_count',
      'own.role',
      'own.joined_seq',
      'own.read_seq',
      unreadCount(userId).as('unread_count'),
      mentionCount(userId).as('mention_count'),
      'own.read_generation',
      sql<Date | null>`case when own.muted_until > now() then own.muted_until end`.as('muted_until'),
      peer(userId, sql`other.user_id`).as('peer_id'),
      peer(userId, sql`(select name from users where id = other.user_id)`).as('peer_name'),
    ]);
}

/** Selects something of the other user of a direct chat. A join would read all members of every other chat, too. */
function peer(userId: string, value: RawBuilder<unknown>) {
  return sql<string | null>`case when c.type = 'DIRECT' then (
    select ${value} from members as other where other.chat_id = c.id and other.user_id <> ${userId} limit 1) end`;
}

function toChat(row: ChatRow): Chat {
  return {
    id: row.id,
    type: row.type,
    name: row.name,
    description: row.description ?? '',
    data: row.data ?? {},
    lastSeq: row.last_seq,
    createdAt: row.created_at,
    createdBy: row.created_by,
    memberCount: row.member_count,
    ...(row.role && {
      own: {
        role: row.role,
        joinedSeq: row.joined_seq ?? 0,
        readSeq: row.read_seq ?? 0,
        unreadCount: row.unread_count,
        mentionCount: row.mention_count,
        readGeneration: row.read_generation ?? 0,
        ...(row.muted_until && { mutedUntil: row.muted_until }),
      },
    }),
    // To a user who is not a member, neither of the two is the other one.
    ...(row.role && row.peer_id !== null && { peer: { id: row.peer_id, name: row.peer_name ?? '' } }),
  };
}

/** Returns the chat as the user sees it. */
export async function findChat(db: Kysely<Tables>, chatId: string, userId: string): Promise<Chat | undefined> {
  const row = await chatsSeenBy(db, userId).where('c.id', '=', chatId).limit(1).executeTakeFirst();
  return row && toChat(row);
}

/** Reads with two statements: `db` must be a snapshot. */
export async function listUserChats(
  db: Kysely<Tables>,
  userId: string,
  limit: number,
  after?: ChatsKey,
): Promise<Page<Chat, ChatsKey>> {
  // A chat that changes moves to the top, above pages that were already read. Its row's transaction says whether it did; the age of a transaction
  // is right only for two billion of them, so older changes are told by their time.
  const moved = after
    ? sql<boolean>`(c.changed_at > now() - interval '1 day' and age(c.xmin) <= age(${after.since}::xid))`
    : sql<boolean>`false`;
  let query = chatsSeenBy(db, userId)
    .select([
      moved.as('moved'),
      sql<string>`c.changed_at::text`.as('changed_at_key'),
      sql<string>`pg_snapshot_xmin(pg_current_snapshot())::xid::text`.as('oldest_unseen'),
    ])
    .where('own.user_id', 'is not', null)
    .orderBy('moved')
    // Chats that have moved may move again: pages of them go by id alone.
    .orderBy(sql`case when not ${moved} then c.changed_at end`, 'desc')
    .orderBy('c.id', 'desc')
    .limit(limit + 1);
  if (after?.moved) query = query.where(sql<boolean>`${moved} and c.id < ${after.id}::uuid`);
  else if (after) {
    const further = sql`(c.changed_at, c.id) < (${after.changedAt}::timestamptz, ${after.id}::uuid)`;
    query = query.where(sql<boolean>`(${moved} or ${further})`);
  }
  const rows = await query.execute();
  const wanted = rows.slice(0, limit);
  const lastMessages = await findLastMessages(
    db,
    wanted.map(({ id }) => id),
  );
  const shown = wanted.slice(
    0,
    countFitting(wanted, ({ id }) => lastMessages.get(id)?.text.length ?? 0),
  );
  const items = shown.map((row) => {
    const lastMessage = lastMessages.get(row.id);
    return { ...toChat(row), ...(lastMessage && { lastMessage }) };
  });
  const last = shown.at(-1);
  if (!last || rows.length === shown.length) return { items };
  const since = after?.since ?? last.oldest_unseen;
  return { items, next: { changedAt: last.changed_at_key, id: last.id, since, moved: last.moved } };
}

export async function listRooms(
  db: Kysely<Tables>,
  userId: string,
  filter: string,
  limit: number,
  afterName?: string,
): Promise<Page<Chat, string>> {
  let query = chatsSeenBy(db, userId)
    .where('c.type', '=', 'ROOM')
    .orderBy(sql`c.name collate "C"`)
    .limit(limit + 1);
  if (filter !== '') query = query.where(sql<boolean>`strpos(lower(c.name), lower(${filter})) > 0`);
  if (afterName !== undefined) query = query.where(sql<boolean>`c.name collate "C" > ${afterName}`);
  const rows = await query.execute();
  const items = rows.slice(0, limit).map(toChat);
  return { items, ...(rows.length > limit && { next: items.at(-1)?.name }) };
}

async function findLastMessages(db: Kysely<Tables>, chatIds: string[]): Promise<Map<string, Message>> {
  if (chatIds.length === 0) return new Map();
  const { rows } = await sql<MessageRow>`
    select m.* from unnest(${chatIds}::uuid[]) as c (id)
    cross join lateral (select * from messages where chat_id = c.id and not hidden order by seq desc limit 1) m`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.chat_id, toMessage(row)]));
}

/** Like `findChat`; throws NOT_FOUND (CHAT_NOT_FOUND). */
export async function getChat(db: Kysely<Tables>, chatId: string, userId: string): Promise<Chat> {
  const chat = await findChat(db, chatId, userId);
  if (!chat) throw chatNotFound();
  return chat;
}

/** Returns the room as the user sees it, if the user is a member. */
export async function findJoinedRoom(db: Kysely<Tables>, name: string, userId: string): Promise<Chat | undefined> {
  const room = await db
    .selectFrom('chats as c')
    .innerJoin('members as m', 'm.chat_id', 'c.id')
    .select('c.id')
    .where('c.type', '=', 'ROOM')
    .where('c.name', '=', name)
    .where('m.user_id', '=', userId)
    .executeTakeFirst();
  const chat = room && (await findChat(db, room.id, userId));
  return chat?.own && chat;
}
