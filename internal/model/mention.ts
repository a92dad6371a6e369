/** A part of a message's text that names a member of the chat, or everyone in it. Places are counted in Unicode characters. */
export interface Mention {
  /** Empty: everyone. */
  readonly userId: string;
  readonly everyone: boolean;
  readonly offset: number;
  readonly length: number;
}

/** Why a message may not have one of its mentions, and which: the user is not a member, or the sender may not mention everyone. */
export interface MentionFault {
  why: 'not_a_member' | 'everyone_not_allowed';
  index: number;
}
