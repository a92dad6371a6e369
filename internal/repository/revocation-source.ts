/** Lists sessions that ended before their access tokens expired. */
export interface RevocationSource {
  /**
   * Returns the sessions that ended after the answer that returned `cursor`; without a cursor, all ended sessions whose access tokens may still be valid.
   * May repeat sessions but never omits one, however long the commit of its end takes. Throws ChatError (STORAGE_UNAVAILABLE) if the source is unreachable.
   */
  listRevocations(cursor?: string): Promise<{ sessionIds: string[]; cursor: string }>;
}
