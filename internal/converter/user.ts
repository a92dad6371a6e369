import type * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Complete } from '../model/complete.ts';
import type { User } from '../model/user.ts';

export function toWireUser({ id, name }: User): Complete<wire.User> {
  return { id, name };
}

/** Converts a user. Throws TypeError if the user is missing. */
export function fromWireUser(user: wire.User | undefined): Complete<User> {
  if (!user) throw new TypeError('a user is missing');
  return { id: user.id, name: user.name };
}
