import type { TokenRole } from './principal.ts';

/** A user who can sign in with a password. */
export interface Account {
  /** The token's subject. */
  userId: string;
  name: string;
  roles: TokenRole[];
  createdAt: Date;
}

/** One signed-in device or program. */
export interface AuthSession {
  id: string;
  createdAt: Date;
  /** When it was last signed in or refreshed. */
  lastUsedAt: Date;
  expiresAt: Date;
  userAgent: string;
  address: string;
}

/** The program that signs in or refreshes, as the list of sessions shows it. */
export interface Device {
  userAgent: string;
  address: string;
}

/** Why a session ended before it expired. */
export type SessionEnd = 'LOGGED_OUT' | 'REVOKED' | 'PASSWORD_CHANGED' | 'TOKEN_REUSED' | 'ROLES_CHANGED';

/** An entry of the audit log of accounts and signing keys. */
export interface AuthEvent {
  id: number;
  at: Date;
  /** The user who did it; empty: the operator. */
  actorId: string;
  /** The user whom it concerns; empty: the service as a whole. */
  userId: string;
  action: string;
  detail: Record<string, unknown>;
}

/** The form of a user name. Names that differ only in case are the same name. */
export const userName = /^[A-Za-z0-9][A-Za-z0-9_.-]{1,31}$/;

/** Returns the user id of an account. A backend's id begins with `service:`, so that it cannot equal the id of a person. */
export function userIdOf(name: string, roles: readonly TokenRole[] = ['user']): string {
  const folded = name.toLowerCase();
  return roles.includes('service') ? `service:${folded}` : folded;
}
