import { ChatError } from '../../../model/errors.ts';

export function chatNotFound(): ChatError {
  return new ChatError('CHAT_NOT_FOUND', 'there is no such chat');
}
