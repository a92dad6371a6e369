import type { ChatRole } from './member.ts';
import type { User } from './user.ts';

/** What happened to a chat, as the service records it. */
export type SystemEvent =
  | { kind: 'chat_created' }
  | { kind: 'members_added'; users: User[] }
  | { kind: 'member_removed'; user: User; banned?: boolean }
  | { kind: 'member_joined' }
  | { kind: 'member_left' }
  | { kind: 'owner_changed'; user: User }
  | { kind: 'role_changed'; user: User; role: ChatRole };

/** One durable entry of a chat. Messages are shared between all of their readers: never change one. */
export interface Message {
  readonly id: string;
  readonly chatId: string;
  /** The message's place in the chat: 1, 2, 3, … */
  readonly seq: number;
  /** The chat's number of this message's last change; equal to `seq` until then. */
  readonly updateSeq: number;
  readonly sender: User;
  readonly clientMessageId: string;
  readonly text: string;
  readonly createdAt: Date;
  readonly system?: SystemEvent;
}

/** A message that is not committed yet. */
export interface Draft {
  chatId: string;
  sender: User;
  /** Unique among the sender's messages in the chat; makes sending again safe. */
  clientMessageId: string;
  text: string;
  /** The sender is a backend, which need not be a member. */
  asService?: boolean;
}

/** A message that is known to be kept, and that its sender has been told so, but that has no number yet. */
export interface AcceptedMessage extends Draft {
  id: string;
  /** A digest of its content, by which a repetition is told from another message. */
  contentHash: Buffer;
  acceptedAt: Date;
}

/** What is known of a message once it is kept, the first time or by a repetition. */
export interface Receipt {
  messageId: string;
  /** 0: the message is kept and will be written; its number comes with it. */
  seq: number;
  createdAt: Date;
}

/** The user whose membership a system message ended, if it is one of those. */
export function endedMembership({
  system,
  sender,
}: Message): { userId: string; reason: 'LEFT' | 'REMOVED' | 'BANNED' } | undefined {
  if (system?.kind === 'member_removed') {
    return { userId: system.user.id, reason: system.banned ? 'BANNED' : 'REMOVED' };
  }
  if (system?.kind === 'member_left') return { userId: sender.id, reason: 'LEFT' };
  return undefined;
}
