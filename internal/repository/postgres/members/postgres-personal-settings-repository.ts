import type { Kysely } from 'kysely';
import type { PersonalSettingsRepository } from '../../personal-settings-repository.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';

export class PostgresPersonalSettingsRepository implements PersonalSettingsRepository {
  readonly #db: Kysely<Tables>;

  constructor({ db }: Database) {
    this.#db = db;
  }

  mute(chatId: string, userId: string, until: Date | undefined): Promise<boolean> {
    return withStorageErrors(async () => {
      const { numUpdatedRows } = await this.#db
        .updateTable('members')
        .set({ muted_until: until ?? null })
        .where('chat_id', '=', chatId)
        .where('user_id', '=', userId)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0;
    });
  }
}
