import type { BackgroundWork } from '../model/background-work.ts';

/** How much work is left that the service does in the background. */
export interface BackgroundWorkRepository {
  /** Counts what is left, of each kind at most `atMost`. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
  read(atMost: number): Promise<BackgroundWork>;
}
