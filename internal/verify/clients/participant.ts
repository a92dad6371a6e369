import type { Actor } from './actor.ts';
import type { LiveKeeper } from './live-keeper.ts';
import type { SdkReader } from './sdk-reader.ts';

/** A client of the run: what acts, and what reads its chats. A client without the SDK has a keeper, one with it an SDK reader. */
export interface Participant {
  actor: Actor;
  keeper?: LiveKeeper;
  sdk?: SdkReader;
}
