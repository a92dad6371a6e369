import type { ChatOperation } from '../../model/operations.ts';
import type { Principal } from '../../model/principal.ts';
import type { ChatRepository } from '../../repository/chat-repository.ts';
import type { MembershipRepository, MembershipSnapshot } from '../../repository/membership-repository.ts';
import { authorizeChat } from '../authorization.ts';

interface Deps {
  chats: Pick<ChatRepository, 'get'>;
  memberships: Pick<MembershipRepository, 'find'>;
}

/** Returns the caller's membership of a chat. Throws unless the caller is a member whose role allows the operation, as `authorizeChat`. */
export async function getMembership(
  deps: Deps,
  operation: ChatOperation,
  caller: Principal,
  chatId: string,
): Promise<MembershipSnapshot> {
  const membership = await deps.memberships.find(chatId, caller.userId);
  if (membership) {
    // The chat's type decides only what callers who are not members may do.
    authorizeChat(operation, caller, 'GROUP', membership.role);
    return membership;
  }
  const chat = await deps.chats.get(chatId, caller.userId);
  authorizeChat(operation, caller, chat.type, chat.own?.role);
  // The caller became a member between the two reads.
  return getMembership(deps, operation, caller, chatId);
}
