/** Digests passwords slowly, so that a stolen digest does not give the password away. */
export interface PasswordHasher {
  /** Throws RESOURCE_EXHAUSTED (RATE_LIMITED) when too many wait. */
  hash(password: string): Promise<string>;
  /** Takes as long whether or not it matches. Throws as `hash`. */
  verify(password: string, hash: string): Promise<boolean>;
  /** Whether the digest was made with other parameters than are used now. */
  isOutdated(hash: string): boolean;
}
