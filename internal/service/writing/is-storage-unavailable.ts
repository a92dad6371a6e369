import { ChatError } from '../../model/errors.ts';

/** Whether the database could not be reached. Any other error of a write means that the database refused what it was given. */
export function isStorageUnavailable(error: unknown): boolean {
  return error instanceof ChatError && error.reason === 'STORAGE_UNAVAILABLE';
}
