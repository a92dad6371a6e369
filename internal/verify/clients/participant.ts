import type { Actor } from './actor.ts';
import type { LiveKeeper } from './live-keeper.ts';
import type { SdkReader } from './sdk-reader.ts';

/** A client of the run: its actor, and what reads its chats: a keeper for clients without the SDK, an SDK reader for the others. */
export interface Participant {
  actor: Actor;
  keeper?: LiveKeeper;
  sdk?: SdkReader;
}
