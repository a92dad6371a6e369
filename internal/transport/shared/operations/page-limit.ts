import { invalidFieldsError } from '../../../model/errors.ts';

/** How many items a page has: 50 unless the caller wants another number. Throws INVALID_ARGUMENT naming `page_size`. */
export function pageLimit(maxPageSize: number): (pageSize: number) => number {
  return (pageSize) => {
    if (pageSize <= maxPageSize) return pageSize || Math.min(50, maxPageSize);
    throw invalidFieldsError({ field: 'page_size', description: `must be at most ${maxPageSize}` });
  };
}
