import type { Message } from './message.ts';
import type { MessagePart } from './message-part.ts';
import type { ReactionChange } from './reaction.ts';
import { endedMembership } from './system-event.ts';

/**
 * What happened in a chat under one number, or under several numbers that follow each other. Every number of a chat belongs to one entry. Readers get
 * entries in ascending order of their numbers.
 */
export type Entry =
  /** The message was sent; its number is `seq`. It has its newest state, which a later number may have brought. */
  | { readonly kind: 'message'; readonly message: Message }
  /** The message was edited or deleted; the number is `updateSeq`. */
  | { readonly kind: 'message_changed'; readonly message: Message }
  /** Changes that later ones have replaced, and hidden messages: their newest state, if there is one, has another number. */
  | { readonly kind: 'covered'; readonly chatId: string; readonly fromSeq: number; readonly toSeq: number }
  /** A user reacted to a message, or took the reaction back. */
  | { readonly kind: 'reaction'; readonly reaction: ReactionChange }
  /** The text of a streamed message grew; for readers that were given every entry before. */
  | { readonly kind: 'message_part'; readonly part: MessagePart };

/** Returns the number of the entry; of several, the last. */
export function seqOf(entry: Entry): number {
  switch (entry.kind) {
    case 'message':
      return entry.message.seq;
    case 'message_changed':
      return entry.message.updateSeq;
    case 'covered':
      return entry.toSeq;
    case 'reaction':
      return entry.reaction.seq;
    case 'message_part':
      return entry.part.seq;
    default:
      return entry satisfies never;
  }
}

/** Returns the number of the entry; of several, the first. */
export function firstSeqOf(entry: Entry): number {
  return entry.kind === 'covered' ? entry.fromSeq : seqOf(entry);
}

/** Returns the characters of text, mentioned ids and data that the entry carries. */
export function charsOf(entry: Entry): number {
  if (entry.kind === 'message_part') return entry.part.text.length;
  if (!('message' in entry)) return 0;
  const { text, data, mentions = [] } = entry.message;
  const named = mentions.reduce((sum, { userId }) => sum + userId.length, 0);
  return text.length + named + (data ? JSON.stringify(data).length : 0);
}

/** Returns the entry of a message that has just been sent or changed. */
export function entryOf(message: Message): Entry {
  return { kind: message.updateSeq > message.seq ? 'message_changed' : 'message', message };
}

/** Returns what is left of an entry when a message has a newer state: readers that get the entry now must not get older content. */
export function supersede(entry: Entry, newest: Message): Entry {
  if (!isOlder(entry, newest)) return entry;
  if (entry.kind === 'message' && !newest.deletion?.hidden) return { kind: 'message', message: newest };
  return { kind: 'covered', chatId: newest.chatId, fromSeq: firstSeqOf(entry), toSeq: seqOf(entry) };
}

/** Whether the entry has content that the message in its newest state no longer has. */
function isOlder(entry: Entry, newest: Message): boolean {
  switch (entry.kind) {
    case 'message':
    case 'message_changed':
      return entry.message.id === newest.id && entry.message.updateSeq < newest.updateSeq;
    case 'reaction':
      return entry.reaction.messageId === newest.id && newest.deletion !== undefined;
    case 'message_part':
      return entry.part.messageId === newest.id && entry.part.seq < newest.updateSeq;
    case 'covered':
      return false;
    default:
      return entry satisfies never;
  }
}

/** Returns the entries with numbers greater than `seq`. The first number of the first one is greater too. */
export function entriesAfter(entries: readonly Entry[], seq: number): Entry[] {
  const place = entries.findIndex((entry) => seqOf(entry) > seq);
  if (place < 0) return [];
  const rest = entries.slice(place);
  const [first] = rest;
  if (first?.kind === 'covered' && first.fromSeq <= seq) rest[0] = { ...first, fromSeq: seq + 1 };
  return rest;
}

/** The end of a user's membership, by the entry with number `seq`. */
export interface MembershipEnd {
  userId: string;
  reason: 'LEFT' | 'REMOVED' | 'BANNED';
  seq: number;
}

/** Returns the membership that ended with this entry, if one did. */
export function membershipEndOf(entry: Entry): MembershipEnd | undefined {
  if (entry.kind !== 'message' || !entry.message.system) return undefined;
  const ended = endedMembership(entry.message);
  return ended && { ...ended, seq: seqOf(entry) };
}

/** Returns the message that the entry carries, if it carries one. */
export function messageOf(entry: Entry): Message | undefined {
  return 'message' in entry ? entry.message : undefined;
}
