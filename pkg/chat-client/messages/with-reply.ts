import type { Message, ThreadSummary } from '../../api/chat/v1/chat.ts';

/** A thread of which nothing was sent. */
const empty: ThreadSummary = { replyCount: 0, lastSeq: 0, lastAt: undefined, participantIds: [], updateSeq: 0 };

/** The most users that a summary names. */
const maxParticipants = 5;

/**
 * Returns the summary of a thread as it is after a message of it: one that the event `message` brought, or `messageChanged`, with the state `before` in which
 * the client had it. What the summary counts already changes nothing. Returns `outdated` if only the service knows: read the root again.
 *
 * @example
 * client.on('message', (message) => {
 *   if (message.rootId === root.id) root.thread = withReply(root.thread, message) as ThreadSummary;
 * });
 */
export function withReply(
  summary: ThreadSummary | undefined,
  message: Message,
  before?: Message,
): ThreadSummary | 'outdated' {
  const known = summary ?? empty;
  const { seq, updateSeq, deletedAt, sender, createdAt } = message;
  const isNew = seq > known.updateSeq;
  if (isNew && !before) return deletedAt ? known : added(known, seq, sender?.id ?? '', createdAt);
  if (!deletedAt || updateSeq <= known.updateSeq || before?.deletedAt) return known;
  const isShown = seq === known.lastSeq || known.participantIds.includes(sender?.id ?? '');
  if (!before || isShown) return 'outdated';
  return { ...known, replyCount: known.replyCount - 1, updateSeq };
}

function added(known: ThreadSummary, seq: number, senderId: string, createdAt: Date | undefined): ThreadSummary {
  const { participantIds } = known;
  const joins = participantIds.length < maxParticipants && !participantIds.includes(senderId);
  return {
    replyCount: known.replyCount + 1,
    lastSeq: seq,
    lastAt: createdAt,
    participantIds: joins ? [...participantIds, senderId] : participantIds,
    updateSeq: seq,
  };
}
