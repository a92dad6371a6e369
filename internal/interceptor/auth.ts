import type { TokenVerifier } from '../client/auth/token-verifier.ts';
import { ChatError } from '../model/errors.ts';
import type { Revocations } from '../service/accounts/revocations.ts';
import { authorizeToken, findPermission } from '../service/authorization.ts';
import type { Call, Step } from './call.ts';

const bearer = /^Bearer +([^\s]+) *$/i;

/**
 * Authenticates the caller unless the method needs no token. Refuses with TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, SESSION_REVOKED, BANNED, or
 * METHOD_NOT_ALLOWED if the token's roles do not allow the method.
 */
export function auth(verifier: TokenVerifier, revocations: Pick<Revocations, 'check'>): Step {
  const begin = async (call: Call) => {
    if (findPermission(call.method)?.token === 'anyone') return;
    const header = call.header('authorization');
    if (header === undefined)
      throw new ChatError('TOKEN_MISSING', 'the call needs an access token: authorization: Bearer …');
    const token = bearer.exec(header)?.[1];
    if (!token)
      throw new ChatError('TOKEN_INVALID', 'the authorization header must be: Bearer, a space, an access token');
    call.principal = await verifier.verify(token);
    revocations.check(call.principal);
    authorizeToken(call.method, call.principal);
  };
  return { begin };
}
