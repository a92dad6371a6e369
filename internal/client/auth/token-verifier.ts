import type { Principal } from '../../model/principal.ts';

/** Tells whose an access token is. */
export interface TokenVerifier {
  /** Throws UNAUTHENTICATED (TOKEN_INVALID, TOKEN_EXPIRED), UNAVAILABLE if the keys cannot be fetched. */
  verify(token: string): Promise<Principal>;
}
