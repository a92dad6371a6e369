import type { Actor, StreamedDraft } from '../clients/actor.ts';
import type { Outcome } from '../history/history-record.ts';
import type { Operation } from './operation.ts';

type By = 'call' | 'stream';

/** Writes a message part by part, and again what has no answer. Returns whether all of it was acknowledged. */
async function write(actor: Actor, draft: StreamedDraft, by: By): Promise<boolean> {
  const { random } = actor;
  const texts = Array.from({ length: 1 + random.below(20) }, (_, i) => `${random.chance(0.1) ? '😀' : ''} ${i}.`);
  let done = 0;
  for (let round = 0; round < 12 && done < texts.length; round += 1) {
    const burst = texts.slice(done, done + 1 + random.below(10)).map((text, i) => ({ part: done + i + 1, text }));
    const append = (one: { part: number; text: string }) => actor.append({ ...draft, ...one }, by);
    const outcomes: Outcome[] = [];
    // Calls may overtake each other; commands of a stream may not.
    if (by === 'stream') outcomes.push(...(await Promise.all(burst.map(append))));
    else for (const one of burst) outcomes.push(await append(one));
    const failed = outcomes.findIndex((outcome) => outcome !== 'ok');
    if (outcomes[failed] === 'refused') return false;
    // Some that were acknowledged are written again.
    done += failed < 0 ? burst.length - (random.chance(0.2) ? 1 : 0) : failed;
  }
  return done === texts.length;
}

/** Clients write messages part by part: to the end, cancelled, or without an end; and ask each other to stop. */
export const streaming: readonly Operation[] = [
  {
    name: 'stream a message',
    asks: ['StartMessage', 'AppendMessage', 'FinishMessage'],
    weight: 4,
    prepare({ actor }) {
      const chat = actor.random.pick(actor.sendable);
      const by = actor.random.pick(actor.waysToAsk)!;
      if (!chat) return undefined;
      const [vanishes, completes] = [actor.random.chance(0.15), actor.random.chance(0.8)];
      return async () => {
        const draft = await actor.begin(chat.id, by);
        if (!draft || !(await write(actor, draft, by)) || vanishes) return;
        await actor.end(draft, completes, by);
        if (actor.random.chance(0.2)) await actor.end(draft, completes, 'call');
      };
    },
  },
  {
    name: 'ask to stop a message',
    asks: ['StopMessage'],
    weight: 0.5,
    prepare({ actor }) {
      const chat = actor.random.pick(actor.world.chatsOf(actor.user));
      const message = actor.random.pick([...(chat?.recent.values() ?? [])]);
      const by = actor.random.pick(actor.waysToAsk)!;
      if (!message) return undefined;
      const { chatId, id: messageId } = message;
      return () => actor.call('stopMessage', { chatId, messageId }, { chatId, by });
    },
  },
];
