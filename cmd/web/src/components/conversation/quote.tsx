import type { Message } from '../../../../../pkg/chat-client/index.ts';
import { deletedText } from '../../text/deleted-text.ts';
import { nameOf } from '../../text/names.ts';

/** Number of characters of a message that a reply to it shows. */
const maxLength = 140;

/** The message that a reply refers to, in its newest state. */
export function Quote({ message }: { message: Message | 'gone' }) {
  const isGone = message === 'gone' || message.deletedAt !== undefined;
  return (
    <blockquote class="quote" dir="auto">
      {message !== 'gone' && <cite>{nameOf(message.sender)}</cite>}
      {isGone ? (
        <span class="quote-deleted">{deletedText}</span>
      ) : (
        <span class="quote-text">{message.text.slice(0, maxLength)}</span>
      )}
    </blockquote>
  );
}
