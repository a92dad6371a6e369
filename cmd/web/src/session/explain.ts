import { ChatClientError } from '../../../../pkg/chat-client/index.ts';

const sentences: Record<string, string> = {
  BANNED: 'You have been banned from this service.',
  BANNED_FROM_CHAT: 'You have been banned from this chat.',
  CHAT_NOT_FOUND: 'There is no such chat, or you are not in it.',
  GUESTS_DISABLED: 'Guests are not admitted here: sign in with an account.',
  LAST_OWNER: 'The last owner has to stay one until there is another.',
  MESSAGE_DELETED: 'The message has been deleted.',
  MESSAGE_NOT_FOUND: 'There is no such message any more.',
  MEMBER_LIMIT: 'The chat is full.',
  NOT_A_MEMBER: 'You are not in this chat any more.',
  NOT_THE_SENDER: 'Only its sender may change this message.',
  REFRESH_TOKEN_INVALID: 'Your session has ended. Please sign in again.',
  REFRESH_TOKEN_REUSED: 'Your session has ended. Please sign in again.',
  REGISTRATION_DISABLED: 'Accounts are made by the operator here.',
  ROLE_TOO_LOW: 'Your role in this chat does not allow that.',
  ROOM_EXISTS: 'There is a room of that name already.',
  ROOM_NOT_FOUND: 'There is no such room.',
  TOO_LATE: 'The message is too old to be changed.',
  USERNAME_TAKEN: 'That user name is taken.',
  USER_IS_BANNED: 'One of them is banned from this chat.',
  VERSION_CONFLICT: 'The message has changed meanwhile.',
  WRONG_CREDENTIALS: 'The user name or the password is wrong.',
};

/** Explains an error to the user of the page. */
export function explain(error: unknown): string {
  if (!(error instanceof ChatClientError)) return 'Something went wrong in this page. Reload it, please.';
  const { reason, violations, message, retryAfterMs } = error;
  if (reason === 'RATE_LIMITED') {
    const seconds = Math.max(1, Math.ceil((retryAfterMs ?? 1_000) / 1_000));
    return `That was too much at once. Try again in ${seconds} s.`;
  }
  const sentence = sentences[reason];
  if (sentence !== undefined) return sentence;
  if (error.temporary) return 'The service cannot be reached at the moment.';
  return violations.map(({ description }) => `${capital(description)}.`).join(' ') || `${capital(message)}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, '');
}
