import { ChatRole, type Message } from '../../../pkg/api/chat/v1/chat.ts';
import type { MessageRecord, SystemNews } from '../history/history-record.ts';

/** The record of a message that a reader received. */
export function toMessageRecord(reader: string, at: number, message: Message): MessageRecord {
  const { seq, updateSeq, id, sender, clientMessageId, text } = message;
  const system = toSystemNews(message);
  return {
    kind: 'message',
    at,
    reader,
    seq,
    updateSeq,
    id,
    sender: sender?.id ?? '',
    clientMessageId,
    text,
    ...(system && { system }),
  };
}

function toSystemNews({ system }: Message): SystemNews | undefined {
  const event = system?.event;
  if (!event) return undefined;
  const value = event.value as { user?: { id: string }; users?: { id: string }[]; role?: ChatRole };
  const users = [...(value.users ?? []), ...(value.user ? [value.user] : [])].map(({ id }) => id);
  return { event: event.$case, users, ...(value.role !== undefined && { role: nameOf(value.role) }) };
}

function nameOf(role: ChatRole): string {
  return Object.entries(ChatRole).find(([, number]) => number === role)?.[0] ?? String(role);
}
