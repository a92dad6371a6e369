import { invalidFieldsError } from '../../../model/errors.ts';
import type { HistoryRange } from '../../../repository/message-repository.ts';

/** Throws INVALID_ARGUMENT if both are given. */
export function toRange(beforeSeq: number | undefined, afterSeq: number | undefined): HistoryRange {
  if (beforeSeq !== undefined && afterSeq !== undefined) {
    throw invalidFieldsError({ field: 'before_seq', description: 'must not be given together with after_seq' });
  }
  if (afterSeq !== undefined) return { afterSeq };
  return beforeSeq === undefined ? 'newest' : { beforeSeq };
}
