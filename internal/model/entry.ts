import type { Message } from './message.ts';
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
  | { readonly kind: 'covered'; readonly chatId: string; readonly fromSeq: number; readonly toSeq: number };

/** Returns the number of the entry; of several, the last. */
export function seqOf(entry: Entry): number {
  switch (entry.kind) {
    case 'message':
      return entry.message.seq;
    case 'message_changed':
      return entry.message.updateSeq;
    case 'covered':
      return entry.toSeq;
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
  if (entry.kind === 'covered') return 0;
  const { text, data, mentions = [] } = entry.message;
  const named = mentions.reduce((sum, { userId }) => sum + userId.length, 0);
  return text.length + named + (data ? JSON.stringify(data).length : 0);
}

/** Returns the entry of a message that has just been sent or changed. */
export function entryOf(message: Message): Entry {
  return { kind: message.updateSeq > message.seq ? 'message_changed' : 'message', message };
}

/** Returns what is left of an entry when its message has a newer state: readers that get the entry now must not get older content. */
export function supersede(entry: Entry, newest: Message): Entry {
  if (entry.kind === 'message' && !newest.deletion?.hidden) return { kind: 'message', message: newest };
  return { kind: 'covered', chatId: newest.chatId, fromSeq: firstSeqOf(entry), toSeq: seqOf(entry) };
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

/** Returns the message that the entry is about, if it carries one. */
export function messageOf(entry: Entry): Message | undefined {
  return entry.kind === 'covered' ? undefined : entry.message;
}
