import type { User } from './user.ts';

/**
 * What happens in a chat and is never stored: live readers get it at most once, all others never. Readers share the object: never
 * change one.
 */
export type EphemeralEvent = { readonly chatId: string } & (
  | { readonly kind: 'typing'; readonly user: User }
  | { readonly kind: 'presence'; readonly user: User; readonly online: boolean }
  | { readonly kind: 'read'; readonly userId: string; readonly seq: number }
);
