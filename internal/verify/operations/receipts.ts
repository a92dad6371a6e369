import type { Operation } from './operation.ts';
import { someChat } from './reading.ts';

/** The answer to a command has no mark. */
function tells({ readSeq, readGeneration }: { readSeq?: number; readGeneration?: number }) {
  return readSeq === undefined ? {} : { readSeq, readGeneration: readGeneration ?? 0 };
}

/** Clients move their marks, look who has received a message, and mute chats. */
export const receipts: readonly Operation[] = [
  {
    name: 'mark read',
    asks: ['MarkRead'],
    weight: 4,
    prepare({ actor }) {
      const chat = someChat(actor);
      if (!chat || chat.head === 0) return undefined;
      const seq = actor.random.below(chat.head + 1);
      const effects = [{ kind: 'use' as const, right: actor.member(chat) }];
      const by = actor.random.pick(actor.waysToAsk)!;
      return () => actor.call('markRead', { chatId: chat.id, seq }, { chatId: chat.id, effects, tells, by });
    },
  },
  {
    name: 'mark unread',
    asks: ['MarkUnread'],
    weight: 2,
    prepare({ actor }) {
      const chat = someChat(actor);
      if (!chat || chat.head === 0) return undefined;
      const fromSeq = 1 + actor.random.below(chat.head);
      const effects = [{ kind: 'use' as const, right: actor.member(chat) }];
      const by = actor.random.pick(actor.waysToAsk)!;
      return () => actor.call('markUnread', { chatId: chat.id, fromSeq }, { chatId: chat.id, effects, tells, by });
    },
  },
  {
    name: 'mark delivered',
    asks: ['MarkDelivered'],
    weight: 1,
    prepare({ actor }) {
      const chat = someChat(actor);
      if (!chat || chat.head === 0) return undefined;
      const seq = actor.random.below(chat.head + 1);
      const effects = [{ kind: 'use' as const, right: actor.member(chat) }];
      const by = actor.random.pick(actor.waysToAsk)!;
      return () => actor.call('markDelivered', { chatId: chat.id, seq }, { chatId: chat.id, effects, by });
    },
  },
  {
    name: 'list mentions',
    asks: ['ListMentions'],
    weight: 1,
    prepare({ actor }) {
      return () => actor.call('listMentions', { pageSize: 20 });
    },
  },
  {
    name: 'mute',
    asks: ['MuteChat'],
    weight: 1,
    prepare({ actor }) {
      const chat = someChat(actor);
      const until = actor.random.chance(0.5) ? new Date(Date.now() + 3_600_000) : undefined;
      const effects = chat ? [{ kind: 'use' as const, right: actor.member(chat) }] : [];
      return chat && (() => actor.call('muteChat', { chatId: chat.id, until }, { chatId: chat.id, effects }));
    },
  },
  {
    name: 'list receipts',
    asks: ['ListReceipts'],
    weight: 1,
    prepare({ actor }) {
      const chat = someChat(actor);
      const message = chat && actor.random.pick([...chat.recent.values()]);
      const effects = chat ? [{ kind: 'use' as const, right: actor.member(chat) }] : [];
      return (
        message &&
        (() => actor.call('listReceipts', { chatId: chat.id, messageId: message.id }, { chatId: chat.id, effects }))
      );
    },
  },
];
