import type { TokenVerifier } from '../../../client/auth/token-verifier.ts';
import type { Principal, TokenRole } from '../../../model/principal.ts';
import type { Revocations } from '../../../service/accounts/revocations.ts';
import type { Authenticate } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import type { Operations } from './operations.ts';
import { withRefusals } from './to-refusal.ts';

const bearer = /^Bearer +([^\s]+) *$/i;

/** Lets those in whose access token is valid and has the role `admin`, as long as neither their session has ended nor they are banned. */
export function authenticateAdmins(verifier: TokenVerifier, revocations: Pick<Revocations, 'check'>): Authenticate {
  return async ({ headers }) => {
    const token = readToken(headers.authorization);
    const principal = await withRefusals(async () => {
      const found = await verifier.verify(token);
      revocations.check(found);
      return found;
    });
    return checkRole(principal);
  };
}

/** Like `authenticateAdmins`, in a process that has neither keys nor a database: the services behind it say whose token it is. */
export function authenticateByUpstream(operations: Operations): Authenticate {
  return async (request, response) => {
    readToken(request.headers.authorization);
    const me = (await operations.call(request, response, { method: 'GET', path: '/v1/auth/me' })) as {
      userId: string;
      name: string;
      roles: TokenRole[];
      tokenExpiresAt: string;
    };
    return checkRole({ ...me, tokenExpiresAt: new Date(me.tokenExpiresAt) });
  };
}

function readToken(authorization = ''): string {
  const token = bearer.exec(authorization)?.[1];
  if (!token) throw new Refusal(401, 'the console needs the access token of an administrator: Bearer …');
  return token;
}

function checkRole<Who extends Pick<Principal, 'roles'>>(principal: Who): Who {
  if (!principal.roles.includes('admin')) throw new Refusal(403, 'your account does not have the role admin');
  return principal;
}
