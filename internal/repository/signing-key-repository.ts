/** A private key as a JSON Web Key (RFC 7517), with its `kid`. */
export type PrivateJwk = Record<string, unknown> & { kid: string };

/** The keys that access tokens are signed with, shared by all nodes. */
export interface SigningKeyRepository {
  /** All keys, the newest first. If there are none yet, `create` makes the first; when several nodes try, one wins. */
  list(create: () => Promise<PrivateJwk>): Promise<PrivateJwk[]>;
}
