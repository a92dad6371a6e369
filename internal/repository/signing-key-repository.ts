/** A private key as a JSON Web Key (RFC 7517), with its `kid`. */
export type PrivateJwk = Record<string, unknown> & { kid: string };

export interface SigningKey {
  jwk: PrivateJwk;
  /** From then on it signs, if no newer one does. */
  signsFrom: Date;
}

/** The keys that access tokens are signed with, shared by all nodes. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
export interface SigningKeyRepository {
  /**
   * All keys that have not retired, the one that signs last first. If there are none yet, `create` makes the first; when several nodes
   * try, one wins.
   */
  list(create: () => Promise<PrivateJwk>): Promise<SigningKey[]>;

  /**
   * Adds a key that is published at once and signs after `leadMs`; those before it retire `keepMs` after that, and such as have retired
   * are removed. Writes an audit row.
   */
  rotate(key: PrivateJwk, times: { leadMs: number; keepMs: number }): Promise<{ signsFrom: Date; removed: number }>;
}
