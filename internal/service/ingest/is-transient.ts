import { ChatError } from '../../model/errors.ts';

/** Whether the database is away; otherwise it refuses what it was given. */
export function isTransient(error: unknown): boolean {
  return error instanceof ChatError && error.reason === 'STORAGE_UNAVAILABLE';
}
