import type { Mention } from '../../../model/mention.ts';
import type { StoredMention } from '../connection/tables.ts';

/** Undefined if there are none. */
export function toStoredMentions(mentions: readonly Mention[] | undefined): StoredMention[] | undefined {
  if (!mentions || mentions.length === 0) return undefined;
  return mentions.map(({ userId, everyone, offset, length }) => ({
    ...(everyone ? { everyone } : { user_id: userId }),
    offset,
    length,
  }));
}

export function fromStoredMentions(stored: readonly StoredMention[] | null): Mention[] | undefined {
  return stored?.map((mention) => {
    const { offset, length } = mention;
    return 'everyone' in mention
      ? { userId: '', everyone: true, offset, length }
      : { userId: mention.user_id, everyone: false, offset, length };
  });
}
