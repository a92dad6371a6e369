import { type Change, ChatRole, type Message, type ReactionChanged } from '../../../pkg/api/chat/v1/chat.ts';
import type { MessageRecord, ReactionRecord, SystemNews } from '../history/history-record.ts';
import type { Journal } from '../history/journal.ts';
import { contentOf } from './content.ts';

/** The record of a message that a reader received; `changed`: as a change. */
export function toMessageRecord(reader: string, at: number, message: Message, changed = false): MessageRecord {
  const { seq, updateSeq, id, sender, clientMessageId, deletedAt, reactions, replyTo, rootId, silent } = message;
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
    ...(reactions.length > 0 && { reactions: Object.fromEntries(reactions.map(({ emoji, count }) => [emoji, count])) }),
    ...(replyTo && { replyTo: { id: replyTo.messageId, seq: replyTo.seq } }),
    ...(rootId && { root: rootId }),
    ...(silent && { silent }),
  };
}

/** The record of a reaction that a reader received. */
export function toReactionRecord(reader: string, at: number, change: ReactionChanged): ReactionRecord {
  const { seq, messageId, user, emoji, added } = change;
  return { kind: 'reaction', at, reader, seq, messageId, user: user?.id ?? '', emoji, added };
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
    case 'reaction':
      journal.add(toReactionRecord(reader, at, change.value));
      return change.value.seq;
    case 'messagePart': {
      // Only streams have parts.
      const { seq, messageId: id } = change.value;
      journal.add({ kind: 'grown', at, reader, seq, id });
      return seq;
    }
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
