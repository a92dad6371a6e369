import { expect } from 'vitest';
import type { Traffic } from '../clients/traffic.ts';
import { eventually } from '../eventually.ts';

/**
 * Expects that exactly the acknowledged messages of stopped traffic were written, each once and in its sender's order, and that all clients received the
 * same. For messages that are acknowledged before they have a number. `refusals`: some may have been refused for the moment; those come later than ones
 * that were sent after them.
 */
export async function expectEachWrittenOnce(traffic: Traffic, { refusals = false } = {}): Promise<void> {
  const acknowledged = traffic.sent.flatMap((sent) => sent.map(({ text }) => text)).sort();
  for (const heard of traffic.heard) {
    await eventually(() => expect(heard.length).toBeGreaterThanOrEqual(acknowledged.length));
    expect(heard.map(({ text }) => text).sort()).toEqual(acknowledged);
    expect(heard.map(({ seq }) => seq)).toEqual(heard.map((_, i) => heard[0]!.seq + i));
  }
  const [first, ...others] = traffic.heard;
  for (const heard of others) expect(heard.map(({ id }) => id)).toEqual(first!.map(({ id }) => id));
  const ids = new Map(first!.map(({ text, id }) => [text, id]));
  for (const sent of traffic.sent) for (const { text, messageId } of sent) expect(ids.get(text)).toBe(messageId);
  if (refusals) return;
  for (const writer of traffic.sent.keys()) {
    const own = first!
      .filter(({ text }) => text.startsWith(`${writer}:`))
      .map(({ text }) => Number(text.split(':')[1]));
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
}
