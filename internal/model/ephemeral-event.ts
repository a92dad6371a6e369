import type { User } from './user.ts';

/** An event of a chat that is never stored. Live readers get it at most once; other readers never get it. Shared by its readers: never change it. */
export type EphemeralEvent = { readonly chatId: string } & (
  | { readonly kind: 'typing'; readonly user: User }
  | { readonly kind: 'presence'; readonly user: User; readonly online: boolean }
  | { readonly kind: 'read'; readonly userId: string; readonly seq: number; readonly generation: number }
  | { readonly kind: 'delivered'; readonly userId: string; readonly seq: number }
  | { readonly kind: 'stop_requested'; readonly messageId: string; readonly user: User }
);
