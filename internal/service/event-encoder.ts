import type { Event } from '../model/event.ts';
import type { Message } from '../model/message.ts';

/**
 * Makes events into bytes that may be joined: a frame is the concatenation of what these return. One encoder serves all the
 * sessions of its encoding.
 */
export interface EventEncoder {
  encode(event: Event): Uint8Array;
  /**
   * One event for each message, in pieces that are small enough to be frames. Called by many readers with the same array:
   * encodes it once.
   */
  encodeMessages(messages: readonly Message[]): readonly Uint8Array[];
}
