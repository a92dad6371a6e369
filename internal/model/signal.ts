import type { User } from './chat.ts';

/** Passing news of a chat: told to those who read it at the moment, or never. The same object goes to all of them: never change one. */
export type Signal = { readonly chatId: string } & (
  | { readonly kind: 'typing'; readonly user: User }
  | { readonly kind: 'presence'; readonly user: User; readonly online: boolean }
  | { readonly kind: 'read'; readonly userId: string; readonly seq: number }
);
