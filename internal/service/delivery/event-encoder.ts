import type { Event } from '../../model/event.ts';
import type { Message } from '../../model/message.ts';

/** Makes events into bytes, which joined are frames. One encoder serves all sessions. */
export interface EventEncoder {
  /** An event that goes to many is the same object for all of them, one after the other, and is encoded once. */
  encode(event: Event): Uint8Array;
  /**
   * One event for each message, in pieces that are small enough to be frames. Called by many readers with the same array:
   * encodes it once.
   */
  encodeMessages(messages: readonly Message[]): readonly Uint8Array[];
  /** One frame of several pieces. Readers who have the same pieces are given the very same frame. */
  join(pieces: readonly Uint8Array[]): Uint8Array;
}
