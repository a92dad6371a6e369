import type { GetChatResponse, ListMessagesResponse } from '../../../pkg/api/chat/v1/chat.ts';
import type { Actor } from '../clients/actor.ts';
import { addChange, toMessageRecord } from '../clients/to-record.ts';
import type { KnownChat } from '../clients/world.ts';
import type { Operation } from './operation.ts';

let lastPage = 0;

/** Reads a page of the history and records it as a reader of its own. */
export async function readPage(
  actor: Actor,
  chat: KnownChat,
  range: { afterSeq?: number; beforeSeq?: number },
  pageSize = 50,
): Promise<ListMessagesResponse | undefined> {
  const { journal, name: client, user, transportName: via } = actor;
  const begin = journal.now();
  const { epochs } = actor.world;
  const effects = [{ kind: 'use' as const, right: actor.member(chat) }];
  const request = { chatId: chat.id, pageSize, ...range };
  const page = await actor.call('listMessages', request, { chatId: chat.id, effects });
  const first = page?.messages[0];
  if (!page) return undefined;
  lastPage += 1;
  const reader = `${client}/page${lastPage}`;
  const at = journal.now();
  const afterSeq = range.afterSeq ?? (first && page.hasMore ? first.seq - 1 : 0);
  journal.add({ kind: 'open', at, reader, source: 'page', client, user, via, chatId: chat.id, begin, afterSeq });
  for (const message of page.messages) {
    journal.add(toMessageRecord(reader, at, message));
    const { id, updateSeq: version, sender, system } = message;
    if (!system) actor.world.notice({ id, chatId: chat.id, sender: sender?.id ?? '', version });
  }
  const last = page.messages.at(-1)?.seq ?? afterSeq;
  // A page that goes back ends before `beforeSeq`; a page with nothing after it ends at the chat's end.
  const seq = range.beforeSeq === undefined ? last : range.beforeSeq - 1;
  const complete = range.beforeSeq === undefined && (range.afterSeq === undefined || !page.hasMore);
  journal.add({ kind: 'reached', at, reader, seq, begin, complete });
  journal.add({ kind: 'close', at, reader, why: 'client' });
  if (actor.world.epochs === epochs) chat.head = Math.max(chat.head, last);
  return page;
}

/** Reads what happened in a chat after a number, and records it as a reader of its own. */
async function readChanges(actor: Actor, chat: KnownChat, afterSeq: number): Promise<void> {
  const { journal, name: client, user, transportName: via } = actor;
  const begin = journal.now();
  const effects = [{ kind: 'use' as const, right: actor.member(chat) }];
  const request = { chatId: chat.id, afterSeq, pageSize: 20 };
  const page = await actor.call('listChanges', request, { chatId: chat.id, effects });
  if (!page) return;
  lastPage += 1;
  const reader = `${client}/changes${lastPage}`;
  const at = journal.now();
  journal.add({ kind: 'open', at, reader, source: 'changes', client, user, via, chatId: chat.id, begin, afterSeq });
  for (const change of page.changes) addChange(journal, reader, at, change);
  journal.add({ kind: 'reached', at, reader, seq: page.lastSeq, begin, complete: !page.hasMore });
  journal.add({ kind: 'close', at, reader, why: 'client' });
}

/** Looks at a chat's state. When nobody acts any more, what it counts is recorded, too. */
export function lookAt(actor: Actor, chat: KnownChat, { quiet = false } = {}): Promise<GetChatResponse | undefined> {
  const tells = ({ chat: seen }: GetChatResponse) =>
    seen
      ? {
          head: seen.lastSeq,
          description: seen.description,
          // Only members have a read mark.
          ...(seen.ownRole > 0 && { readSeq: seen.readSeq, readGeneration: seen.readGeneration }),
          ...(quiet &&
            seen.ownRole > 0 && {
              counts: { joinedSeq: seen.joinedSeq, unread: seen.unreadCount, mentions: seen.mentionCount },
            }),
        }
      : {};
  const name = quiet ? 'audit counts' : 'getChat';
  return actor.call('getChat', { chatId: chat.id }, { name, chatId: chat.id, tells });
}

export const someChat = (actor: Actor) => actor.random.pick(actor.world.chatsOf(actor.user));

/** Clients read history, lists and the state of chats, and move read marks. */
export const reading: readonly Operation[] = [
  {
    name: 'read the newest',
    asks: ['ListMessages'],
    weight: 5,
    prepare({ actor }) {
      const chat = someChat(actor);
      return chat && (() => readPage(actor, chat, {}));
    },
  },
  {
    name: 'read back',
    asks: ['ListMessages'],
    weight: 3,
    prepare({ actor }) {
      const chat = someChat(actor);
      if (!chat || chat.head < 2) return undefined;
      const beforeSeq = 1 + actor.random.below(chat.head);
      return () => readPage(actor, chat, { beforeSeq }, 20);
    },
  },
  {
    name: 'read on',
    asks: ['ListMessages'],
    weight: 3,
    prepare({ actor }) {
      const chat = someChat(actor);
      return chat && (() => readPage(actor, chat, { afterSeq: actor.random.below(chat.head + 1) }, 20));
    },
  },
  {
    name: 'read changes',
    asks: ['ListChanges'],
    weight: 2,
    prepare({ actor }) {
      const chat = someChat(actor);
      return chat && (() => readChanges(actor, chat, actor.random.below(chat.head + 1)));
    },
  },
  {
    name: 'look at a chat',
    asks: ['GetChat'],
    weight: 3,
    prepare({ actor }) {
      const chat = someChat(actor);
      return chat && (() => lookAt(actor, chat));
    },
  },
  {
    name: 'list',
    asks: ['ListChats', 'ListMembers', 'ListRooms', 'ListOnlineUsers'],
    weight: 2,
    prepare({ actor }) {
      const chat = someChat(actor);
      const method = actor.random.pick(['listChats', 'listMembers', 'listRooms', 'listOnlineUsers'] as const)!;
      return chat && (() => actor.call(method, { chatId: chat.id } as never));
    },
  },
  {
    name: 'read where one is not',
    asks: ['ListMessages'],
    weight: 2,
    prepare({ actor }) {
      const others = [...actor.world.chats.values()].filter(({ roles }) => !roles.has(actor.user));
      const chat = actor.random.pick(others);
      return chat && (() => readPage(actor, chat, {}));
    },
  },
];
