import type { Selectable } from 'kysely';
import type { Complete } from '../../../model/complete.ts';
import type { Message, MessageData, MessageOptions } from '../../../model/message.ts';
import type { ReactionCount } from '../../../model/reaction.ts';
import type { Tables } from '../connection/tables.ts';
import { fromStoredMentions, toStoredMentions } from './mention-json.ts';

export const messageColumns = [
  'chat_id',
  'seq',
  'update_seq',
  'id',
  'sender_id',
  'sender_name',
  'client_message_id',
  'text',
  'system',
  'created_at',
  'edited_at',
  'deleted_at',
  'deleted_by',
  'hidden',
  'data',
  'type',
  'silent',
  'reply_to_seq',
  'reply_to_id',
  'root_id',
  'streaming',
  'mentions',
] as const satisfies (keyof Tables['messages'])[];

/** A row of `messages`, without the columns that are never read back. */
export type MessageRow = Pick<Selectable<Tables['messages']>, (typeof messageColumns)[number]>;

/** Converts a row of `messages`, with the reactions if they were read. */
export function toMessage(row: MessageRow & { reactions?: ReactionCount[] | null }): Complete<Message> {
  return {
    id: row.id,
    chatId: row.chat_id,
    seq: row.seq,
    updateSeq: row.update_seq,
    sender: { id: row.sender_id, name: row.sender_name },
    clientMessageId: row.client_message_id ?? '',
    text: row.text,
    createdAt: new Date(row.created_at),
    system: row.system ?? undefined,
    editedAt: row.edited_at ? new Date(row.edited_at) : undefined,
    data: row.data ?? undefined,
    deletion: row.deleted_at
      ? { at: new Date(row.deleted_at), by: row.deleted_by ?? '', hidden: row.hidden }
      : undefined,
    reactions: row.reactions ?? undefined,
    type: row.type ?? undefined,
    silent: row.silent ?? undefined,
    replyTo:
      row.reply_to_id !== null && row.reply_to_seq !== null
        ? { messageId: row.reply_to_id, seq: row.reply_to_seq }
        : undefined,
    rootId: row.root_id ?? undefined,
    // A deletion ends the stream; the column keeps what it was.
    streaming: row.streaming && !row.deleted_at ? streamingOf[row.streaming] : undefined,
    thread: undefined,
    mentions: fromStoredMentions(row.mentions),
  };
}

const streamingOf = { streaming: 'STREAMING', cancelled: 'CANCELLED' } as const;

/** Returns the JSON of a message's data; null if there is none. */
export function toJson(data: MessageData | undefined): string | null {
  return data ? JSON.stringify(data) : null;
}

/** Returns what append_messages takes as `contents`: one for each message, or null if all are ordinary texts. */
export function toContents(messages: readonly MessageOptions[]): (string | null)[] | null {
  const contents = messages.map(toContent);
  return contents.some((content) => content !== null) ? contents : null;
}

/** Returns the JSON of a message's optional fields by their names; null for an ordinary text. */
function toContent({ data, type, silent, replyToId, rootId, mentions }: MessageOptions): string | null {
  if (!(data || type || silent || replyToId || rootId || mentions)) return null;
  const named = { reply_to_id: replyToId, root_id: rootId, mentions: toStoredMentions(mentions) };
  return JSON.stringify({ data, type, silent, ...named });
}
