import { expect } from 'vitest';
import type { Chat } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newRoom, type Person, say, signIn } from './person.ts';
import { commands, type StreamProbe } from './stream-probe.ts';

/** A client that sends to itself on one stream, to show that faults of other clients do not affect it. */
export class Bystander {
  readonly #person: Person;
  readonly #room: Chat;
  readonly #stream: StreamProbe;
  #sent = 0;

  private constructor(person: Person, room: Chat, stream: StreamProbe) {
    this.#person = person;
    this.#room = room;
    this.#stream = stream;
  }

  static async watch(transport: Transport): Promise<Bystander> {
    const person = await signIn(transport, 'bystander');
    const room = await newRoom(person);
    const stream = await person.connect();
    await stream.ask(commands.subscribe(room.id));
    return new Bystander(person, room, stream);
  }

  /** Expects that the stream opened at the start still delivers messages, sent by call and by command, in order. */
  async expectUndisturbed(): Promise<void> {
    await say(this.#person, this.#room, `${this.#sent}`);
    expect(await this.#stream.ask(commands.send(this.#room.id, `${this.#sent + 1}`))).toMatchObject({
      $case: 'accepted',
    });
    this.#sent += 2;
    await this.#stream.until(() => this.#stream.messages(this.#room.id).length >= this.#sent);
    const texts = this.#stream.messages(this.#room.id).map(({ text }) => text);
    expect(texts).toEqual(texts.map((_, i) => `${i}`));
  }
}
