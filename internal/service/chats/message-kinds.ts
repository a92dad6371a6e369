import { ChatError } from '../../model/errors.ts';
import type { Feature } from '../../model/feature.ts';

/** Throws FAILED_PRECONDITION (FEATURE_DISABLED) if messages may not have a type or a reference or be silent yet. */
export function checkKindsEnabled(enabled: ReadonlySet<Feature>): void {
  if (enabled.has('message_kinds')) return;
  const what = 'messages cannot have a type or a reference or be silent';
  throw new ChatError('FEATURE_DISABLED', `${what} before all nodes know it (FEATURES_ENABLED)`);
}
