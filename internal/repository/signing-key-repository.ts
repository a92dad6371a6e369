/** A private key as a JSON Web Key (RFC 7517), with its `kid`. */
export type PrivateJwk = Record<string, unknown> & { kid: string };

export interface SigningKey {
  jwk: PrivateJwk;
  /** The time from which this key signs, until a newer key does. */
  signsFrom: Date;
}

/** Stores the keys that sign access tokens, for all nodes. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
export interface SigningKeyRepository {
  /**
   * Lists the keys that have not retired, the newest first. If there is none, `create` makes the first key; when several nodes do so at once,
   * one of their keys is stored and returned to all.
   */
  list(create: () => Promise<PrivateJwk>): Promise<SigningKey[]>;

  /**
   * Adds a key that is published at once and signs after `leadMs` milliseconds. The keys before it retire `keepMs` milliseconds after that.
   * Removes the keys that have retired and returns how many. Writes an audit row.
   */
  rotate(key: PrivateJwk, times: { leadMs: number; keepMs: number }): Promise<{ signsFrom: Date; removed: number }>;
}
