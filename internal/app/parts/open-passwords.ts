import { Argon2PasswordHasher } from '../../security/argon2-password-hasher.ts';
import type { PasswordHasher } from '../../security/password-hasher.ts';
import type { PasswordPolicy } from '../../security/password-policy.ts';
import { ZxcvbnPasswordPolicy } from '../../security/zxcvbn-password-policy.ts';

/** Opens the hasher of passwords, and the policy that refuses weak ones. */
export function openPasswords(): { hasher: PasswordHasher; policy: PasswordPolicy } {
  return { hasher: new Argon2PasswordHasher(), policy: new ZxcvbnPasswordPolicy() };
}
