import { roomName } from '../../model/chat.ts';
import { invalidFieldsError } from '../../model/errors.ts';
import type { Creator } from '../../repository/chat-repository.ts';

/** Returns the two users of a new direct chat. Throws INVALID_ARGUMENT, with the field at fault. */
export function checkDirect(
  creator: Creator,
  name: string,
  memberIds: readonly string[],
): readonly [one: string, other: string] {
  const pair = creator.external ? memberIds : [creator.id, ...memberIds];
  const [one, other] = pair;
  if (pair.length !== 2 || one === undefined || other === undefined) {
    const who = creator.external ? 'the two users of the direct chat' : 'exactly one user for a direct chat';
    throw invalidFieldsError({ field: 'member_ids', description: `must name ${who}` });
  }
  if (other === one) {
    throw invalidFieldsError({ field: 'member_ids[0]', description: 'must be another user than the caller' });
  }
  if (name !== '') throw invalidFieldsError({ field: 'name', description: 'must be empty for a direct chat' });
  return [one, other];
}

/** Throws INVALID_ARGUMENT if the group would have no owner. */
export function checkGroup(creator: Creator, memberIds: readonly string[]): void {
  if (!creator.external || memberIds.length > 0) return;
  throw invalidFieldsError({
    field: 'member_ids',
    description: 'must name the owner of a group that is created for others',
  });
}

/** Throws INVALID_ARGUMENT if the name is not valid for a room. */
export function checkRoomName(name: string): void {
  if (roomName.test(name)) return;
  const description = 'must be 1 to 64 letters, digits, "_", "-" and ".", starting with a letter or digit, for a room';
  throw invalidFieldsError({ field: 'name', description });
}
