import { type Kysely, sql } from 'kysely';
import type { Ban } from '../../../model/ban.ts';
import type { Message } from '../../../model/message.ts';
import type { Page } from '../../../model/page.ts';
import type { User } from '../../../model/user.ts';
import type { ChatBanRepository, NewBan } from '../../chat-ban-repository.ts';
import type { Guard, Reader } from '../../guard.ts';
import { audit } from '../audit/audit.ts';
import { withLockedChat } from '../changes/with-locked-chat.ts';
import type { Database } from '../connection/database.ts';
import { readInChat } from '../connection/read-in-chat.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { takeOut } from '../members/take-out.ts';
import { getUser } from '../users/get-user.ts';
import { banNotFound, selectBans, toBan, toBanPage } from './ban-row.ts';

export class PostgresChatBanRepository implements ChatBanRepository {
  readonly #db: Kysely<Tables>;
  readonly #reads: Kysely<Tables>;

  constructor({ db, reads }: Database) {
    this.#db = db;
    this.#reads = reads;
  }

  ban(
    chatId: string,
    actor: User,
    { userId, reason, expiresAt }: NewBan,
    guard: Guard,
  ): Promise<{ ban: Ban; messages: Message[] }> {
    return withLockedChat(this.#db, { chatId, actor, targetId: userId }, guard, async ({ tx, access }) => {
      const { chat, targetRole: role } = access;
      const row = await tx
        .insertInto('chat_bans')
        .values({ chat_id: chatId, user_id: userId, banned_by: actor.id, reason, expires_at: expiresAt ?? null })
        .onConflict((conflict) =>
          conflict.columns(['chat_id', 'user_id']).doUpdateSet({
            banned_by: actor.id,
            reason,
            created_at: sql`clock_timestamp()`,
            expires_at: expiresAt ?? null,
          }),
        )
        .returningAll()
        .executeTakeFirstOrThrow();
      const ban = toBan({ ...row, name: (await getUser(tx, userId)).name, banned_by_name: actor.name });
      await audit(tx, actor, 'members.ban', chatId, { user: userId, reason, expires_at: expiresAt });
      return { ban, messages: role ? await takeOut(tx, chat, actor, { userId, role, banned: true }) : [] };
    });
  }

  lift(chatId: string, actor: User, userId: string, guard: Guard): Promise<void> {
    return withLockedChat(this.#db, { chatId, actor }, guard, async ({ tx }) => {
      const deleted = await tx
        .deleteFrom('chat_bans')
        .where('chat_id', '=', chatId)
        .where('user_id', '=', userId)
        .returning(sql<boolean>`expires_at is null or expires_at > clock_timestamp()`.as('counted'))
        .executeTakeFirst();
      if (!deleted?.counted) throw banNotFound();
      await audit(tx, actor, 'members.unban', chatId, { user: userId });
    });
  }

  list(chatId: string, limit: number, afterUserId?: string, reader?: Reader): Promise<Page<Ban, string>> {
    return withStorageErrors(async () => {
      const query = selectBans('chat_bans', sql`b.chat_id = ${chatId}`, limit, afterUserId);
      return toBanPage(await readInChat(this.#reads, chatId, query, reader), limit);
    });
  }
}
