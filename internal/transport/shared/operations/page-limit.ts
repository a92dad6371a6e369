import { invalidFieldsError } from '../../../model/errors.ts';

/**
 * Creates a function from the requested `page_size` to the number of items in a page; 0 means 50, or `maxPageSize` if that is less. The function
 * throws ChatError (INVALID_FIELDS) for more than `maxPageSize`, which it reads at each call.
 */
export function pageLimit(limits: { maxPageSize: number }): (pageSize: number) => number {
  return (pageSize) => {
    const { maxPageSize } = limits;
    if (pageSize <= maxPageSize) return pageSize || Math.min(50, maxPageSize);
    throw invalidFieldsError({ field: 'page_size', description: `must be at most ${maxPageSize}` });
  };
}
