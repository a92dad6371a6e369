/** Which sessions have ended before their access tokens expired. */
export interface RevocationSource {
  /**
   * The sessions that ended since the answer that gave the cursor; without one, all whose access tokens may not have expired. May
   * repeat some, never leaves one out. Throws UNAVAILABLE when the source cannot be reached.
   */
  listRevocations(cursor?: string): Promise<{ sessionIds: string[]; cursor: string }>;
}
