import { ChatError, type FieldViolation, invalidFieldsError } from '../../model/errors.ts';
import type { Feature } from '../../model/feature.ts';
import type { Mention } from '../../model/mention.ts';

/**
 * Throws FAILED_PRECONDITION (FEATURE_DISABLED) if messages may not have mentions yet, and INVALID_ARGUMENT (INVALID_FIELDS) unless each is a part of the
 * text, after the one before, and names either a user or everyone. Returns undefined if there are none.
 */
export function toMentions(
  mentions: readonly Mention[] | undefined,
  text: string,
  enabled: ReadonlySet<Feature>,
): readonly Mention[] | undefined {
  if (!mentions || mentions.length === 0) return undefined;
  if (!enabled.has('mentions')) {
    throw new ChatError(
      'FEATURE_DISABLED',
      'messages cannot have mentions before all nodes know it (FEATURES_ENABLED)',
    );
  }
  const violations: FieldViolation[] = [];
  const length = [...text].length;
  let end = 0;
  for (const [i, mention] of mentions.entries()) {
    const fault = (field: string, description: string) =>
      violations.push({ field: `mentions[${i}].${field}`, description });
    if (mention.everyone && mention.userId) fault('user_id', 'must be empty if everyone is mentioned');
    if (!mention.everyone && !mention.userId) fault('user_id', 'must name a user, unless everyone is mentioned');
    if (mention.offset < end) fault('offset', `must be at least ${end}, the end of the mention before`);
    end = Math.max(end, mention.offset + mention.length);
    if (mention.offset + mention.length > length)
      fault('length', `must end within the ${length} characters of the text`);
  }
  if (violations.length > 0) throw invalidFieldsError(...violations);
  return mentions.map(({ userId, everyone, offset, length }) => ({ userId, everyone, offset, length }));
}
