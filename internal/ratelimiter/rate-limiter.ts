/** Bounds how often a caller may do something. */
export interface RateLimiter {
  /**
   * Counts one use of the method by the caller. Throws RESOURCE_EXHAUSTED (RATE_LIMITED) with the time to wait, when there
   * were too many.
   */
  consume(method: string, caller: string): Promise<void>;

  /** Gives back all that the caller has used of the method. */
  forget(method: string, caller: string): Promise<void>;
}
