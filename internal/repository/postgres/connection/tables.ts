import type { ColumnType } from 'kysely';
import type { SessionEnd } from '../../../model/account.ts';
import type { ChatType } from '../../../model/chat.ts';
import type { ChatRole } from '../../../model/member.ts';
import type { MessageData } from '../../../model/message.ts';
import type { TokenRole } from '../../../model/principal.ts';
import type { SystemEvent } from '../../../model/system-event.ts';

type Defaulted<T> = ColumnType<T, T | undefined, T>;
/** The transaction that wrote a row, an `xid8`. */
type NotedByTrigger = ColumnType<string | null, never, never>;

/** Written by append_messages only. */
type WrittenByFunction<T> = ColumnType<T | null, never, never>;

/** The tables of migrations/, as Kysely sees them. */
export interface Tables extends AuthTables {
  users: { id: string; name: string; membership_version: Defaulted<number> };
  chats: {
    id: string;
    type: ChatType;
    name: string;
    direct_key: string | null;
    created_by: string;
    created_at: Defaulted<Date>;
    last_seq: Defaulted<number>;
    changed_at: Defaulted<Date>;
    member_count: Defaulted<number>;
  };
  chat_details: { chat_id: string; description: string; data: ColumnType<Record<string, unknown>, string, string> };
  members: {
    chat_id: string;
    user_id: string;
    role: ChatRole;
    joined_seq: number;
    joined_at: Defaulted<Date>;
    read_seq: Defaulted<number>;
    delivered_seq: Defaulted<number>;
    read_generation: Defaulted<number>;
    muted_until: Defaulted<Date | null>;
  };
  messages: {
    chat_id: string;
    seq: number;
    update_seq: number;
    id: string;
    sender_id: string;
    sender_name: string;
    client_message_id: string | null;
    content_hash: Buffer | null;
    text: string;
    system: ColumnType<SystemEvent | null, string | null, string | null>;
    created_at: Date;
    edited_at: Defaulted<Date | null>;
    deleted_at: Defaulted<Date | null>;
    deleted_by: Defaulted<string | null>;
    hidden: Defaulted<boolean>;
    /** Written by append_messages and append_changes only. */
    data: ColumnType<MessageData | null, never, never>;
    type: WrittenByFunction<string>;
    silent: WrittenByFunction<boolean>;
    reply_to_seq: WrittenByFunction<number>;
    reply_to_id: WrittenByFunction<string>;
    root_seq: WrittenByFunction<number>;
    root_id: WrittenByFunction<string>;
    /** Written by append_parts only, like the columns for the time-out and for repeated parts. */
    streaming: ColumnType<'streaming' | 'cancelled' | null, never, never>;
    mentions: WrittenByFunction<StoredMention[]>;
  };
  mentions: {
    chat_id: string;
    user_id: string;
    seq: number;
    sender_id: string;
    silent: boolean;
    created_at: Date;
  };
  changes: {
    chat_id: string;
    seq: number;
    kind: 'edited' | 'deleted' | 'chat_updated' | 'reacted' | 'streamed' | 'stream_ended';
    message_seq: number;
    actor_id: string;
    client_change_id: string | null;
    digest: Buffer | null;
    created_at: Date;
  };
  message_versions: {
    chat_id: string;
    message_seq: number;
    version: number;
    text: string;
    data: MessageData | null;
    created_at: Date;
  };
  /** Written by append_reactions only. */
  reactions: {
    chat_id: string;
    message_seq: number;
    emoji: string;
    user_id: string;
    user_name: string;
    active: boolean;
    seq: number;
    changed_at: Date;
  };
  /** Written by append_reactions only. */
  reaction_counts: {
    chat_id: string;
    message_seq: number;
    emoji: string;
    count: number;
    seq: number;
    first_seq: number;
  };
  audit_log: {
    id: ColumnType<number, never, never>;
    at: Defaulted<Date>;
    actor_id: string;
    action: string;
    chat_id: string | null;
    detail: ColumnType<unknown, string, string>;
  };
  deleted_chats: { id: string; deleted_at: Defaulted<Date> };
  chat_bans: BanColumns & { chat_id: string };
  user_bans: BanColumns & { lifted: Defaulted<boolean>; changed_at: Defaulted<Date>; changed_xid: NotedByTrigger };
}

interface BanColumns {
  user_id: string;
  banned_by: string;
  reason: string;
  created_at: Defaulted<Date>;
  expires_at: Date | null;
}

/** The tables of the schema `auth`. */
interface AuthTables {
  'auth.accounts': {
    user_id: string;
    name: string;
    password_hash: string;
    roles: TokenRole[];
    created_at: Defaulted<Date>;
    password_changed_at: Defaulted<Date>;
  };
  'auth.sessions': {
    id: string;
    user_id: string;
    created_at: Defaulted<Date>;
    last_used_at: Defaulted<Date>;
    expires_at: Date;
    user_agent: Defaulted<string>;
    address: Defaulted<string>;
    ended_at: Defaulted<Date | null>;
    ended_xid: NotedByTrigger;
    end_reason: Defaulted<SessionEnd | null>;
  };
  'auth.refresh_tokens': {
    token_hash: Buffer;
    session_id: string;
    created_at: Defaulted<Date>;
    used_at: Defaulted<Date | null>;
    retry_key_hash: Defaulted<Buffer | null>;
  };
  'auth.audit_log': {
    id: ColumnType<number, never, never>;
    at: Defaulted<Date>;
    actor_id: string;
    user_id: string;
    action: string;
    detail: ColumnType<unknown, string, string>;
  };
}

/** A mention as `messages.mentions` has it. Stored for ever: never rename a key. */
export type StoredMention = { offset: number; length: number } & ({ user_id: string } | { everyone: true });
