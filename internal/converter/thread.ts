import type * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Complete } from '../model/complete.ts';
import type { ThreadSummary } from '../model/thread.ts';

export function toWireThread(summary: ThreadSummary): Complete<wire.ThreadSummary> {
  const { replyCount, lastSeq, lastAt, participantIds, updateSeq } = summary;
  return { replyCount, lastSeq, lastAt, participantIds: [...participantIds], updateSeq };
}

export function fromWireThread(summary: wire.ThreadSummary): Complete<ThreadSummary> {
  const { replyCount, lastSeq, lastAt, participantIds, updateSeq } = summary;
  return { replyCount, lastSeq, lastAt, participantIds, updateSeq };
}
