import type { ChatType } from '../../model/chat.ts';
import { ChatError } from '../../model/errors.ts';
import type { ChangeRefusal } from '../../repository/change-repository.ts';
import type { ReactionRefusal } from '../../repository/reaction-repository.ts';
import { refusalOf } from '../authorization.ts';

/** Returns the error for the refusal of a change of a message. */
export function toChangeError(
  outcome: Exclude<ChangeRefusal, 'mention_refused'> | ReactionRefusal,
  chatType?: ChatType,
): ChatError {
  switch (outcome) {
    case 'chat_not_found':
    case 'not_a_member':
    case 'role_too_low':
      return refusalOf(outcome, chatType);
    case 'reused':
      return new ChatError('CHANGE_ID_REUSED', 'this client_change_id was used for another change');
    case 'message_not_found':
      return new ChatError('MESSAGE_NOT_FOUND', 'there is no such message in this chat');
    case 'system_message':
      return new ChatError('SYSTEM_MESSAGE', 'messages of the service cannot be changed');
    case 'not_the_sender':
      return new ChatError('NOT_THE_SENDER', 'you may not change the messages of others');
    case 'message_deleted':
      return new ChatError('MESSAGE_DELETED', 'the message has been deleted');
    case 'too_late':
      return new ChatError('TOO_LATE', 'the message is too old to be changed');
    case 'reaction_limit':
      return new ChatError('REACTION_LIMIT', 'the message has as many kinds of reactions as the service allows');
    case 'busy':
      // BatchWriter tries these again until it gives up.
      return new ChatError('STORAGE_UNAVAILABLE', 'the chat is locked at the moment', { retryAfterMs: 1_000 });
    case 'version_conflict':
      return new ChatError('VERSION_CONFLICT', 'the message has changed since the version in if_version');
    default:
      return outcome satisfies never;
  }
}
