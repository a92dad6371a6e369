import { Argon2PasswordHasher } from '../../security/argon2-password-hasher.ts';
import type { PasswordHasher } from '../../security/password-hasher.ts';
import type { PasswordPolicy } from '../../security/password-policy.ts';
import { ZxcvbnPasswordPolicy } from '../../security/zxcvbn-password-policy.ts';

/** How passwords are hashed, and which are refused. */
export function openPasswords(): { hasher: PasswordHasher; policy: PasswordPolicy } {
  return { hasher: new Argon2PasswordHasher(), policy: new ZxcvbnPasswordPolicy() };
}
