import type { TokenVerifier } from '../../../client/auth/token-verifier.ts';
import type { Revocations } from '../../../service/accounts/revocations.ts';
import type { Authenticate } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { withRefusals } from './to-refusal.ts';

const bearer = /^Bearer +([^\s]+) *$/i;

/** Lets those in whose access token is valid and has the role `admin`, as long as neither their session has ended nor they are banned. */
export function authenticateAdmins(verifier: TokenVerifier, revocations: Pick<Revocations, 'check'>): Authenticate {
  return async (authorization = '') => {
    const token = bearer.exec(authorization)?.[1];
    if (!token) throw new Refusal(401, 'the console needs the access token of an administrator: Bearer …');
    const principal = await withRefusals(async () => {
      const found = await verifier.verify(token);
      revocations.check(found);
      return found;
    });
    if (!principal.roles.includes('admin')) throw new Refusal(403, 'your account does not have the role admin');
    return principal;
  };
}
