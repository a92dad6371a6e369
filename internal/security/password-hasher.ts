/** Digests passwords slowly, so that a stolen digest does not reveal the password. */
export interface PasswordHasher {
  /** Returns a digest with a new salt. Throws ChatError (RATE_LIMITED) if too many calls wait. */
  hash(password: string): Promise<string>;
  /** Whether the password matches the digest. Takes the same time in both cases. Throws ChatError (RATE_LIMITED) if too many calls wait. */
  verify(password: string, hash: string): Promise<boolean>;
  /** Whether the digest was made with other parameters than new digests. */
  isOutdated(hash: string): boolean;
}
