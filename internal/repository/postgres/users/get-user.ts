import type { Kysely } from 'kysely';
import type { User } from '../../../model/user.ts';
import type { Tables } from '../connection/tables.ts';

/** The user with the name that was remembered last; the name is empty for a user whose name is not known. */
export async function getUser(db: Kysely<Tables>, id: string): Promise<User> {
  const user = await db.selectFrom('users').select('name').where('id', '=', id).executeTakeFirst();
  return { id, name: user?.name ?? '' };
}
