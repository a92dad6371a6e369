import type { TokenRole } from './principal.ts';

/** Somebody who can sign in with a password. */
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

/** What is known of the program that signs in or refreshes. */
export interface Device {
  userAgent: string;
  address: string;
}

/** Why a session ended before its time. */
export type SessionEnd = 'LOGGED_OUT' | 'REVOKED' | 'PASSWORD_CHANGED' | 'TOKEN_REUSED' | 'ROLES_CHANGED';

/** Something that was done to an account, or to the keys. */
export interface AuthEvent {
  id: number;
  at: Date;
  /** Empty: the operator. */
  actorId: string;
  /** Empty: the service as a whole. */
  userId: string;
  action: string;
  detail: Record<string, unknown>;
}

/** What a user name may be; upper and lower case are the same. */
export const userName = /^[A-Za-z0-9][A-Za-z0-9_.-]{1,31}$/;

/** The user id of an account: a backend's cannot be taken for a person's. */
export function userIdOf(name: string, roles: readonly TokenRole[] = ['user']): string {
  const folded = name.toLowerCase();
  return roles.includes('service') ? `service:${folded}` : folded;
}
