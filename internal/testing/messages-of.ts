import type { Message } from '../model/message.ts';
import type { ChatPublication } from '../model/publication.ts';

/** Returns the messages that a publication brings, in order. */
export function messagesOf(publication: ChatPublication): Message[] {
  if (publication.kind !== 'entries') return [];
  return publication.entries.flatMap((entry) => ('message' in entry ? entry.message : []));
}
