import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor } from '../clients/actor.ts';
import type { KnownMessage } from '../clients/world.ts';
import type { Operation } from './operation.ts';

/** A message that suits, in a chat that the user may send to, as far as the clients know. */
function someMessage(actor: Actor, suits: (message: KnownMessage) => boolean): KnownMessage | undefined {
  const chat = actor.random.pick(actor.sendable);
  return actor.random.pick([...(chat?.recent.values() ?? [])].filter(suits));
}

const someOwn = (actor: Actor) => someMessage(actor, ({ sender }) => sender === actor.user);
const someOfOthers = (actor: Actor) => someMessage(actor, ({ sender }) => sender !== actor.user);

/** How to edit or delete: server-sent events and clients without a stream make calls. */
const someWay = (actor: Actor) => actor.random.pick(actor.waysToAsk)!;

/** Clients edit and delete messages: once, twice at once, again, on condition, and messages of others. */
export const changing: readonly Operation[] = [
  {
    name: 'edit',
    asks: ['EditMessage'],
    weight: 9,
    prepare({ actor }) {
      const [message, by] = [someOwn(actor), someWay(actor)];
      return message && (() => actor.change(actor.changeDraft(message, { what: 'edit' }), by));
    },
  },
  {
    name: 'edit many times at once',
    asks: ['EditMessage'],
    weight: 1.5,
    prepare({ actor }) {
      const [message, by] = [someOwn(actor), someWay(actor)];
      const count = 3 + actor.random.below(5);
      const edit = (one: KnownMessage) => actor.change(actor.changeDraft(one, { what: 'edit' }), by);
      return message && (() => Promise.all(Array.from({ length: count }, () => edit(message))));
    },
  },
  {
    name: 'edit on condition',
    asks: ['EditMessage'],
    weight: 4,
    prepare({ actor }) {
      const [message, by] = [someOwn(actor), someWay(actor)];
      if (!message || message.version === 0) return undefined;
      // Two at once with the same condition: at most one of them may succeed.
      const both = actor.random.chance(0.5);
      return () => {
        const drafts = Array.from({ length: both ? 2 : 1 }, () =>
          actor.changeDraft(message, { what: 'edit', ifVersion: message.version }),
        );
        return Promise.all(drafts.map((draft) => actor.change(draft, by)));
      };
    },
  },
  {
    name: 'change twice at once',
    asks: ['EditMessage', 'DeleteMessage'],
    weight: 2,
    prepare({ actor }) {
      const [message, by] = [someOwn(actor), someWay(actor)];
      const what = actor.random.chance(0.8) ? 'edit' : 'delete';
      return (
        message &&
        (() => {
          const draft = actor.changeDraft(message, { what });
          return Promise.all([actor.change(draft, by), actor.change(draft, 'call')]);
        })
      );
    },
  },
  {
    name: 'change again',
    asks: ['EditMessage', 'DeleteMessage'],
    weight: 4,
    prepare({ actor }) {
      const draft = actor.random.pick(actor.changeDrafts);
      const by = someWay(actor);
      return draft && (() => actor.change(draft, by));
    },
  },
  {
    name: 'edit with a used id',
    asks: ['EditMessage'],
    weight: 1,
    prepare({ actor }) {
      const draft = actor.random.pick(actor.changeDrafts.filter(({ what }) => what === 'edit'));
      return draft && (() => actor.change({ ...draft, text: `${draft.text}, no` }));
    },
  },
  {
    name: 'edit and vanish',
    asks: ['EditMessage'],
    weight: 1,
    prepare({ actor, keeper }) {
      const message = someOwn(actor);
      if (!message || !keeper || !actor.live?.isWelcomed || actor.transportName === 'sse') return undefined;
      return async () => {
        const draft = actor.changeDraft(message, { what: 'edit' });
        const edited = actor.change(draft, 'stream');
        // The transport sends the command at the end of the event-loop turn.
        await sleep(actor.random.below(5));
        keeper.cut();
        await edited;
        await actor.change(draft);
      };
    },
  },
  {
    name: "edit another's message",
    asks: ['EditMessage'],
    weight: 2.5,
    prepare({ actor }) {
      const [message, by] = [someOfOthers(actor), someWay(actor)];
      return message && (() => actor.change(actor.changeDraft(message, { what: 'edit' }), by));
    },
  },
  {
    name: 'delete',
    asks: ['DeleteMessage'],
    weight: 2.5,
    prepare({ actor }) {
      const [message, by] = [someOwn(actor), someWay(actor)];
      const hide = actor.random.chance(0.3);
      const id = actor.random.chance(0.2) ? { clientChangeId: '' } : {};
      return message && (() => actor.change(actor.changeDraft(message, { what: 'delete', hide, ...id }), by));
    },
  },
  {
    name: "delete another's message",
    asks: ['DeleteMessage'],
    weight: 2,
    prepare({ actor }) {
      // Moderators may, others are refused.
      const [message, by] = [someOfOthers(actor), someWay(actor)];
      const hide = actor.random.chance(0.3);
      return message && (() => actor.change(actor.changeDraft(message, { what: 'delete', hide }), by));
    },
  },
];
