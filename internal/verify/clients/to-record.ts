import { type Change, ChatRole, type Message } from '../../../pkg/api/chat/v1/chat.ts';
import type { MessageRecord, SystemNews } from '../history/history-record.ts';
import type { Journal } from '../history/journal.ts';
import { contentOf } from './content.ts';

/** The record of a message that a reader received; `changed`: as a change. */
export function toMessageRecord(reader: string, at: number, message: Message, changed = false): MessageRecord {
  const { seq, updateSeq, id, sender, clientMessageId, deletedAt, silent } = message;
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
    text: contentOf(message),
    ...(system && { system }),
    ...(changed && { changed }),
    ...(deletedAt && { deleted: true as const }),
    ...(silent && { silent }),
  };
}

/** Records an entry of ListChanges that a reader received; returns its number. */
export function addChange(journal: Journal, reader: string, at: number, { change }: Change): number {
  switch (change?.$case) {
    case 'message':
      journal.add(toMessageRecord(reader, at, change.value));
      return change.value.seq;
    case 'messageChanged':
      journal.add(toMessageRecord(reader, at, change.value.message!, true));
      return change.value.message!.updateSeq;
    case 'covered':
      journal.add({ kind: 'covered', at, reader, from: change.value.fromSeq, to: change.value.toSeq });
      return change.value.toSeq;
    case undefined:
      return 0;
    default:
      return change satisfies never;
  }
}

function toSystemNews({ system }: Message): SystemNews | undefined {
  const event = system?.event;
  if (!event) return undefined;
  const value = event.value as {
    user?: { id: string };
    users?: { id: string }[];
    role?: ChatRole;
    description?: string;
  };
  const users = [...(value.users ?? []), ...(value.user ? [value.user] : [])].map(({ id }) => id);
  return {
    event: event.$case,
    users,
    ...(value.role !== undefined && { role: nameOf(value.role) }),
    ...(value.description !== undefined && { description: value.description }),
  };
}

function nameOf(role: ChatRole): string {
  return Object.entries(ChatRole).find(([, number]) => number === role)?.[0] ?? String(role);
}
