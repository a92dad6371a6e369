import type { Actor } from '../clients/actor.ts';
import type { KnownMessage } from '../clients/world.ts';
import type { Operation } from './operation.ts';

/** Few, so that clients meet at the same counts. */
const emojis = ['👍', '❤️', '👩🏽‍🚀'];

/** One of the last messages, so that clients meet at the same messages. */
function someRecent(actor: Actor): KnownMessage | undefined {
  const chat = actor.random.pick(actor.sendable);
  return actor.random.pick([...(chat?.recent.values() ?? [])].slice(-5));
}

/** Clients react to messages and take reactions back: once, twice at once, and again. */
export const reacting: readonly Operation[] = [
  {
    name: 'react',
    asks: ['AddReaction'],
    weight: 8,
    prepare({ actor }) {
      const [message, by] = [someRecent(actor), actor.random.pick(actor.waysToAsk)!];
      const emoji = actor.random.pick(emojis)!;
      return message && (() => actor.react(actor.reactionDraft(message, emoji, true), by));
    },
  },
  {
    name: 'take a reaction back',
    asks: ['RemoveReaction'],
    weight: 4,
    prepare({ actor }) {
      const before = actor.random.pick(actor.reactionDrafts.filter(({ added }) => added));
      const by = actor.random.pick(actor.waysToAsk)!;
      if (!before) return undefined;
      const message = { id: before.messageId, chatId: before.chatId, sender: '', version: 0 };
      return () => actor.react(actor.reactionDraft(message, before.emoji, false), by);
    },
  },
  {
    name: 'react twice at once',
    asks: ['AddReaction'],
    weight: 2,
    prepare({ actor }) {
      const message = someRecent(actor);
      const [emoji, by] = [actor.random.pick(emojis)!, actor.random.pick(actor.waysToAsk)!];
      if (!message) return undefined;
      return () => {
        const draft = actor.reactionDraft(message, emoji, true);
        return Promise.all([actor.react(draft, by), actor.react(draft, 'call')]);
      };
    },
  },
  {
    name: 'react again',
    asks: ['AddReaction', 'RemoveReaction'],
    weight: 3,
    prepare({ actor }) {
      const [draft, by] = [actor.random.pick(actor.reactionDrafts), actor.random.pick(actor.waysToAsk)!];
      return draft && (() => actor.react(draft, by));
    },
  },
];
