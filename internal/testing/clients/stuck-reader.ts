import { expect } from 'vitest';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { eventually } from '../eventually.ts';
import { newRoom, type Person, say, signIn } from './person.ts';
import { RawReader } from './raw-reader.ts';

/** Connects a client that subscribes to a room and then stops reading, and writes there until bytes wait for it. */
export async function stuckReader(
  service: { address: string; transport(): Transport },
  name: string,
  waitingBytes: () => number | Promise<number>,
): Promise<{ reader: RawReader; person: Person; room: { id: string } }> {
  const person = await signIn(service.transport(), name);
  const room = await newRoom(person);
  const reader = new RawReader(service.address, person.token);
  // The service ends the call, which is then an error.
  reader.call.on('error', () => {});
  reader.subscribe(room.id);
  await eventually(() => expect(reader.caughtUp).toBe(true));
  reader.call.pause();
  for (let held = 0; held < 3; held = (await waitingBytes()) > 0 ? held + 1 : 0) {
    await Promise.all(Array.from({ length: 20 }, () => say(person, room, 'x'.repeat(4_000))));
  }
  return { reader, person, room };
}
