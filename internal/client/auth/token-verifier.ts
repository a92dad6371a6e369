import type { Principal } from '../../model/principal.ts';

/** Verifies access tokens. */
export interface TokenVerifier {
  /** Returns the token's bearer. Throws ChatError: TOKEN_INVALID; TOKEN_EXPIRED; STORAGE_UNAVAILABLE if the issuer's keys cannot be fetched. */
  verify(token: string): Promise<Principal>;
}
