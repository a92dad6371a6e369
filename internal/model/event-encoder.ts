import type { EntryEncoder } from './batch.ts';
import type { Event } from './event.ts';
import type { Frame } from './frame.ts';

/** A port: encodes events as frames. One encoder serves all sessions; `Batch` and `SharedEvent` call it once for all their readers. */
export interface EventEncoder extends EntryEncoder {
  encode(event: Event): Frame;
}
