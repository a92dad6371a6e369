import { type RawBuilder, sql } from 'kysely';
import type { Ban } from '../../../model/ban.ts';
import { ChatError } from '../../../model/errors.ts';
import type { Page } from '../../../model/page.ts';
import { unexpired } from '../members/find-banned.ts';

interface BanRow {
  user_id: string;
  name: string | null;
  banned_by: string;
  banned_by_name: string | null;
  reason: string;
  created_at: Date;
  expires_at: Date | null;
}

export function toBan(row: BanRow): Ban {
  return {
    user: { id: row.user_id, name: row.name ?? '' },
    bannedBy: { id: row.banned_by, name: row.banned_by_name ?? '' },
    reason: row.reason,
    createdAt: row.created_at,
    ...(row.expires_at && { expiresAt: row.expires_at }),
  };
}

/** Selects the bans of a table, with the alias `b`, that have not expired and meet the condition, ordered by user id, with names. */
export function selectBans(
  table: 'chat_bans' | 'user_bans',
  condition: RawBuilder<boolean>,
  limit: number,
  afterUserId: string | undefined,
): RawBuilder<BanRow> {
  const after = afterUserId === undefined ? sql`` : sql`and b.user_id > ${afterUserId}`;
  return sql<BanRow>`
    select b.user_id, u.name, b.banned_by, a.name as banned_by_name, b.reason, b.created_at, b.expires_at
    from ${sql.table(table)} b
    left join users u on u.id = b.user_id
    left join users a on a.id = b.banned_by
    where ${condition} and ${unexpired} ${after}
    order by b.user_id limit ${limit + 1}`;
}

/** Makes a page of the rows of `selectBans`. */
export function toBanPage(rows: readonly BanRow[], limit: number): Page<Ban, string> {
  const items = rows.slice(0, limit).map(toBan);
  return { items, ...(rows.length > limit && { next: items.at(-1)?.user.id }) };
}

export function banNotFound(): ChatError {
  return new ChatError('BAN_NOT_FOUND', 'the user is not banned');
}
