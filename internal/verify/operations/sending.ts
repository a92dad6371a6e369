import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from './operation.ts';

/** Clients send messages: once, many at a time, twice at once, again, and with an id that was used. */
export const sending: readonly Operation[] = [
  {
    name: 'send',
    asks: ['SendMessage'],
    weight: 40,
    prepare({ actor }) {
      const chat = actor.random.pick(actor.sendable);
      const by = actor.random.pick(actor.waysToAsk)!;
      return chat && (() => actor.send(actor.draft(chat.id), by));
    },
  },
  {
    name: 'send many at once',
    asks: ['SendMessage'],
    weight: 4,
    prepare({ actor }) {
      const chat = actor.random.pick(actor.sendable);
      const by = actor.random.pick(actor.waysToAsk)!;
      const count = 5 + actor.random.below(20);
      return chat && (() => Promise.all(Array.from({ length: count }, () => actor.send(actor.draft(chat.id), by))));
    },
  },
  {
    name: 'send twice at once',
    asks: ['SendMessage'],
    weight: 3,
    prepare({ actor }) {
      const chat = actor.random.pick(actor.sendable);
      const by = actor.random.pick(actor.waysToAsk)!;
      return (
        chat &&
        (() => {
          const draft = actor.draft(chat.id);
          return Promise.all([actor.send(draft, by), actor.send(draft, 'call')]);
        })
      );
    },
  },
  {
    name: 'send again',
    asks: ['SendMessage'],
    weight: 5,
    prepare({ actor }) {
      const draft = actor.random.pick(actor.drafts);
      return draft && (() => actor.send(draft));
    },
  },
  {
    name: 'send with a used id',
    asks: ['SendMessage'],
    weight: 2,
    prepare({ actor }) {
      const draft = actor.random.pick(actor.drafts);
      return draft && (() => actor.send({ ...draft, text: `${draft.text}, no` }));
    },
  },
  {
    name: 'send and vanish',
    asks: ['SendMessage'],
    weight: 2,
    prepare({ actor, keeper }) {
      const chat = actor.random.pick(actor.sendable);
      if (!chat || !keeper || !actor.live?.isWelcomed || actor.transportName === 'sse') return undefined;
      return async () => {
        const draft = actor.draft(chat.id);
        const sent = actor.send(draft, 'stream');
        // The transport sends the command at the end of the event-loop turn.
        await sleep(actor.random.below(5));
        keeper.cut();
        await sent;
        await actor.send(draft);
      };
    },
  },
];
