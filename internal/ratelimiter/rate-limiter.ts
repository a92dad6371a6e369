/** Limits how often a caller may call a method. */
export interface RateLimiter {
  /** Counts one use of the method by the caller. Throws ChatError (RATE_LIMITED) with the time to wait if the caller is over the limit. */
  consume(method: string, caller: string): Promise<void>;

  /** Sets the caller's count for the method to 0. */
  forget(method: string, caller: string): Promise<void>;
}
