import { ChatError } from '../../model/errors.ts';

/** Whether the error means that the same write may succeed later. Any other error of a write means that the database refused its content. */
export function isStorageUnavailable(error: unknown): boolean {
  return error instanceof ChatError && error.reason === 'STORAGE_UNAVAILABLE';
}
