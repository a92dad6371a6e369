import type { TokenVerifier } from '../client/auth/token-verifier.ts';
import { ChatError } from '../model/errors.ts';
import type { Revocations } from '../service/accounts/revocations.ts';
import { authorizeToken, findPermission } from '../service/authorization.ts';
import type { Call, Step } from './call.ts';

const bearer = /^Bearer +([^\s]+) *$/i;

/** Finds out who calls, whether their token still counts, and whether it allows the method. */
export function auth(verifier: TokenVerifier, revocations: Pick<Revocations, 'check'>): Step {
  const begin = async (call: Call) => {
    if (findPermission(call.method)?.token === 'anyone') return;
    const header = call.header('authorization');
    if (header === undefined)
      throw new ChatError('TOKEN_MISSING', 'an access token is needed: authorization: Bearer …');
    const token = bearer.exec(header)?.[1];
    if (!token)
      throw new ChatError('TOKEN_INVALID', 'the authorization header must be: Bearer, a space, an access token');
    call.principal = await verifier.verify(token);
    revocations.check(call.principal);
    authorizeToken(call.method, call.principal);
  };
  return { begin };
}
