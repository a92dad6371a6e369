import type { Event } from '../model/event.ts';
import type { Message } from '../model/message.ts';

/**
 * Makes events into bytes that may be joined: a frame is the concatenation of what these return. One encoder serves all the
 * sessions of its encoding.
 */
export interface EventEncoder {
  encode(event: Event): Uint8Array;
  /** One event for each message. Called by many readers with the same array: encodes it once. */
  encodeMessages(messages: readonly Message[]): Uint8Array;
}
