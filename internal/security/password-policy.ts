/** Decides whether a password is hard enough to guess. */
export interface PasswordPolicy {
  /**
   * Returns undefined if the password is good, else what is wrong with it, as the end of a sentence about the field. `known` are words that an
   * attacker would try first, such as the user's name.
   */
  findFault(password: string, known: readonly string[]): Promise<string | undefined>;
}
