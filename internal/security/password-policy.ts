/** Says whether a password is hard enough to guess. */
export interface PasswordPolicy {
  /** Undefined if it is; else what is wrong and what would help. `known`: words that an attacker would try first, such as the user's name. */
  findFault(password: string, known: readonly string[]): Promise<string | undefined>;
}
