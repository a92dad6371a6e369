import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Message } from '../../model/message.ts';
import { eventually } from '../../testing/eventually.ts';
import type { EventSink, ExportedEvent } from './event-sink.ts';

/** An event as a consumer reads it. */
export interface ReceivedEvent {
  kind: ExportedEvent['kind'];
  /** The number of the change; absent for the end of a chat. */
  number?: number;
  text?: string;
}

/** A sink with a destination of its own. */
export interface SinkUnderTest {
  sink: EventSink;
  /** All events of a chat that the destination has, in its order. */
  received(chatId: string): Promise<ReceivedEvent[]>;
  /** Makes the destination fail. */
  breakOff(): Promise<void>;
  /** Makes the destination work again, with everything that it had acknowledged. */
  restore(): Promise<void>;
}

const epoch = 'epoch1';

/** What every event sink must do. */
export function testEventSink(open: () => Promise<SinkUnderTest>): void {
  let tested: SinkUnderTest;
  let chatId: string;
  beforeEach(async () => {
    tested = await open();
    chatId = randomUUID();
    onTestFinished(() => tested.sink.close());
  });

  const messages = (from: number, to: number, inChat = chatId) =>
    Array.from({ length: to - from + 1 }, (_, at) => messageEvent(inChat, from + at));
  const numbers = async (inChat = chatId) => (await tested.received(inChat)).map(({ number }) => number);
  /** What a consumer keeps that drops events whose number is not above the last one. */
  const kept = async () => {
    const received = (await numbers()) as number[];
    return received.filter((number, at) => number > Math.max(0, ...received.slice(0, at)));
  };

  test('what it has acknowledged has arrived, whole and in order, with the end of the chat last', async () => {
    const position = await tested.sink.deliver(messages(1, 1), 0, epoch);
    expect(await numbers()).toEqual([1]);
    // A number of which a later change has taken the place is left out.
    const next = await tested.sink.deliver(messages(3, 30), position, epoch);
    await tested.sink.deliver([{ kind: 'chat_deleted', chatId }], next, epoch);
    expect(await tested.received(chatId)).toEqual([
      ...[1, ...upTo(30).slice(2)].map((number) => ({ kind: 'message', number, text: `text ${number}` })),
      { kind: 'chat_deleted' },
    ]);
  });

  test('chats that are delivered at the same time keep their order each', async () => {
    const chats = Array.from({ length: 5 }, () => randomUUID());
    await Promise.all(
      chats.map(async (id) => {
        let position = 0;
        for (let from = 1; from <= 30; from += 10)
          position = await tested.sink.deliver(messages(from, from + 9, id), position, epoch);
      }),
    );
    for (const id of chats) expect(await numbers(id)).toEqual(upTo(30));
  });

  describe('a consumer that drops repetitions gets every event once and in order', () => {
    test('when the end of a delivery is delivered again', async () => {
      const position = await tested.sink.deliver(messages(1, 3), 0, epoch);
      await tested.sink.deliver(messages(4, 9), position, epoch);
      const again = await tested.sink.deliver(messages(4, 6), position, epoch);
      await tested.sink.deliver(messages(7, 12), again, epoch);
      expect(await kept()).toEqual(upTo(12));
    });

    test('when the position is not known any more', async () => {
      await tested.sink.deliver(messages(1, 5), 0, epoch);
      await tested.sink.deliver(messages(3, 7), 0, epoch);
      await tested.sink.deliver(messages(8, 9), 0, epoch);
      expect(await kept()).toEqual(upTo(9));
    });

    test('when the destination was away', async () => {
      const position = await tested.sink.deliver(messages(1, 5), 0, epoch);
      await tested.breakOff();
      await expect(tested.sink.deliver(messages(6, 9), position, epoch)).rejects.toThrow();
      await tested.restore();
      const next = await eventually(() => tested.sink.deliver(messages(6, 9), position, epoch));
      await tested.sink.deliver(messages(10, 12), next, epoch);
      expect(await kept()).toEqual(upTo(12));
    });
  });

  test('can be closed twice', async () => {
    await tested.sink.deliver(messages(1, 1), 0, epoch);
    await tested.sink.close();
    await tested.sink.close();
  });
}

/** The event of a new message with this number. */
export function messageEvent(chatId: string, updateSeq: number): ExportedEvent {
  const message: Message = {
    id: randomUUID(),
    chatId,
    seq: updateSeq,
    updateSeq,
    sender: { id: 'alice', name: 'Alice' },
    clientMessageId: '',
    text: `text ${updateSeq}`,
    createdAt: new Date(),
  };
  return { kind: 'message', message };
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
