import type { EnvReader } from '../reading/env-reader.ts';
import { findPlainUrls, type Insecurity, isLoopback } from '../reading/insecure.ts';
import { type ExternalIssuer, readExternalIssuer } from './external-issuer-config.ts';

/** Who may sign in, and whose access tokens the service accepts. */
export interface AuthConfig {
  /** Whether a name alone is enough to sign in. */
  guests: boolean;
  /** Whether anybody can make an account. */
  registration: boolean;
  /** The claims `iss` and `aud` of every access token. */
  issuer: string;
  audience: string;
  /** How long an access token is valid, in milliseconds. */
  tokenTtlMs: number;
  /** How long a session lives without a refresh, in milliseconds. */
  refreshTtlMs: number;
  /** An OpenID Connect provider, or an auth-server, instead of the embedded issuer. */
  external: ExternalIssuer | undefined;
}

/** `publicUrl` is the issuer's name unless AUTH_ISSUER is set. */
export function readAuth(read: EnvReader, publicUrl: string): AuthConfig {
  return {
    guests: read.boolean('AUTH_GUESTS', false),
    registration: read.boolean('AUTH_REGISTRATION', true),
    issuer: read.string('AUTH_ISSUER', publicUrl),
    audience: read.string('AUTH_AUDIENCE', 'chat'),
    tokenTtlMs: read.integer('AUTH_TOKEN_TTL_SECONDS', 900, { min: 1, max: 86_400 }) * 1_000,
    refreshTtlMs: read.integer('AUTH_REFRESH_TTL_DAYS', 30, { min: 1, max: 3_650 }) * 86_400_000,
    external: readExternalIssuer(read),
  };
}

/** Guests, and an issuer that is asked in plain text. Guests sign in with the embedded issuer only. */
export function findAuthInsecurities({ guests, external }: AuthConfig, host: string): Insecurity[] {
  const found: Insecurity[] = [];
  if (guests && !external) {
    const what = 'AUTH_GUESTS is on: anybody can sign in under any name';
    found.push({ word: 'guests', what, exposed: !isLoopback(host) });
  }
  const urls = { AUTH_JWKS_URL: external?.jwksUrl, AUTH_REVOCATIONS_URL: external?.revocationsUrl };
  return [...found, ...findPlainUrls(urls)];
}
