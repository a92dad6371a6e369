import { ChatType } from '../../../pkg/api/chat/v1/chat.ts';
import type { Actor } from '../clients/actor.ts';
import type { Participant } from '../clients/participant.ts';
import type { KnownChat } from '../clients/world.ts';
import type { Effect } from '../history/history-record.ts';
import type { Operation } from './operation.ts';

const grant = (right: string): Effect => ({ kind: 'grant', right });
const withdraw = (right: string): Effect => ({ kind: 'withdraw', right });
const use = (right: string): Effect => ({ kind: 'use', right });

/** How many chats a run should have, so that each of them is busy. */
const fewChats = 12;

/** Creates a group of the user, some others, and the auditor. */
export async function createGroup({ actor, keeper, sdk }: Participant, others: readonly string[]): Promise<void> {
  const { world, user } = actor;
  const memberIds = [...new Set([world.auditor, ...others])].filter((id) => id !== user);
  const name = `group of ${actor.name}`;
  const request = { type: ChatType.GROUP, name, memberIds };
  const begin = actor.journal.now();
  const { chat } = (await actor.call('createChat', request, { name: 'create a group' })) ?? {};
  if (!chat) return;
  const members = Object.fromEntries([[user, 'OWNER' as const], ...memberIds.map((id) => [id, 'MEMBER' as const])]);
  world.learn({ id: chat.id, type: 'GROUP', name }, begin, members);
  keeper?.follow(chat.id);
  sdk?.follow(chat.id);
}

/** Joins a room; the service creates it if it does not exist. */
export async function joinRoom({ actor, keeper, sdk }: Participant, name: string): Promise<void> {
  const { world, user } = actor;
  const known = [...world.chats.values()].find((chat) => chat.name === name && !chat.deleted);
  const effects = known ? [grant(actor.member(known)), use(actor.admission(known, user))] : [];
  const now = actor.journal.now();
  const begin = known ? now : world.firstTried(`${user} in ${name}`, now);
  const answer = await actor.call('joinRoom', { name }, { name: 'join a room', chatId: known?.id, effects });
  const { chat } = answer ?? {};
  if (!chat || !answer) return;
  const room = world.learn({ id: chat.id, type: 'ROOM', name }, begin);
  room.roles.set(user, answer.created ? 'OWNER' : 'MEMBER');
  // Only the answer says which room it was.
  if (room !== known) {
    const { name: client, transportName: via, journal } = actor;
    const right = [grant(actor.member(room))];
    const record = { kind: 'call' as const, name: 'came into a room', client, user, via, begin, chatId: chat.id };
    journal.add({ ...record, at: journal.now(), outcome: 'ok', effects: right, head: chat.lastSeq });
  }
  keeper?.follow(chat.id);
  sdk?.follow(chat.id);
}

async function openDirect({ actor, keeper, sdk }: Participant, other: string): Promise<void> {
  const { world, user } = actor;
  const begin = actor.journal.now();
  const pair = [user, other].sort().join(' and ');
  const first = world.firstTried(pair, begin);
  const request = { type: ChatType.DIRECT, memberIds: [other] };
  const { chat } =
    (await actor.call('createChat', request, {
      name: 'open a direct chat',
      tells: (answer) => ({ same: { thing: `the chat of ${pair}`, is: answer.chat?.id ?? '' } }),
    })) ?? {};
  if (!chat) return;
  world.learn({ id: chat.id, type: 'DIRECT', name: '' }, first, { [user]: 'OWNER', [other]: 'OWNER' });
  keeper?.follow(chat.id);
  sdk?.follow(chat.id);
}

async function deleteChat(actor: Actor, chat: KnownChat): Promise<void> {
  const effects = actor.world.users.map((user) => withdraw(actor.member(chat, user)));
  const done = await actor.call('deleteChat', { chatId: chat.id }, { chatId: chat.id, effects });
  if (done) chat.deleted = true;
}

/** Gives a chat a description that it has not had, at times twice at once or once more later: the service must make it once. */
async function updateChat(actor: Actor, { id: chatId }: KnownChat): Promise<void> {
  const { random, name, live, transportName } = actor;
  const clientChangeId = `update ${random.below(1e9)} of ${name}`.replaceAll(' ', '-');
  const request = { chatId, clientChangeId, description: `about ${clientChangeId}`, data: { by: name } };
  const update = () =>
    actor.call('updateChat', request, {
      chatId,
      name: 'update a chat',
      by: live?.isWelcomed && transportName !== 'sse' && random.chance(0.5) ? 'stream' : 'call',
      tells: ({ messageId, seq }) => ({
        head: seq,
        same: { thing: `the update ${clientChangeId} in ${chatId}`, is: `${messageId} at ${seq}` },
      }),
    });
  await Promise.all(random.chance(0.3) ? [update(), update()] : [update()]);
  if (random.chance(0.3)) await update();
}

/** Chats are created, updated, joined, left and deleted. */
export const chats: readonly Operation[] = [
  {
    name: 'create a group',
    asks: ['CreateChat'],
    weight: 1,
    prepare(participant) {
      const { world, random } = participant.actor;
      if (world.chats.size >= fewChats * 3) return undefined;
      return () =>
        createGroup(
          participant,
          world.users.filter(() => random.chance(0.5)),
        );
    },
  },
  {
    name: 'open a direct chat',
    asks: ['CreateChat'],
    weight: 1,
    prepare(participant) {
      const { world, random, user } = participant.actor;
      const other = random.pick(world.users.filter((id) => id !== user && id !== world.auditor));
      return other === undefined ? undefined : () => openDirect(participant, other);
    },
  },
  {
    name: 'join a room',
    asks: ['JoinRoom'],
    weight: 3,
    prepare: (participant) => () =>
      joinRoom(participant, `${participant.actor.world.tag}-room-${participant.actor.random.below(3)}`),
  },
  {
    name: 'leave',
    asks: ['LeaveChat'],
    weight: 1.5,
    prepare({ actor }) {
      const { random, user, world } = actor;
      const chat = random.pick(world.chatsOf(user).filter(({ type }) => type !== 'DIRECT'));
      if (!chat || user === world.auditor) return undefined;
      const effects = [withdraw(actor.member(chat)), use(actor.member(chat))];
      return async () => {
        const left = await actor.call('leaveChat', { chatId: chat.id }, { chatId: chat.id, effects });
        if (left) chat.roles.delete(user);
      };
    },
  },
  {
    name: 'update a chat',
    asks: ['UpdateChat'],
    weight: 1.5,
    prepare({ actor }) {
      const chat = actor.random.pick(actor.chatsAs('OWNER', 'ADMIN').filter(({ type }) => type !== 'DIRECT'));
      return chat && (() => updateChat(actor, chat));
    },
  },
  {
    name: 'delete a chat',
    asks: ['DeleteChat'],
    weight: 0.2,
    prepare({ actor }) {
      const chat = actor.random.pick(actor.chatsAs('OWNER').filter(({ type }) => type === 'GROUP'));
      return chat && (() => deleteChat(actor, chat));
    },
  },
];
