import type { Event } from '../../model/event.ts';
import type { Frame } from '../../model/frame.ts';
import type { Message } from '../../model/message.ts';

/** Makes events into frames. One encoder serves all sessions. */
export interface EventEncoder {
  /** An event that goes to many is the same object for all of them, one after the other, and is encoded once. */
  encode(event: Event): Frame;
  /**
   * One event for each message, in frames that are small enough for any client. Called by many readers with the same array:
   * encodes it once.
   */
  encodeMessages(messages: readonly Message[]): readonly Frame[];
}
