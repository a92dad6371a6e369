import { ChatRole } from '../../../pkg/api/chat/v1/chat.ts';
import type { Actor } from '../clients/actor.ts';
import type { KnownChat } from '../clients/world.ts';
import type { Effect } from '../history/history-record.ts';
import type { Operation } from './operation.ts';

type Role = 'READER' | 'MEMBER' | 'ADMIN';

interface Target {
  chat: KnownChat;
  user: string;
}

/** Another member of a chat, with a lower role than the actor as far as the actor knows. */
function someoneBelow(actor: Actor): Target | undefined {
  const chat = actor.random.pick(actor.chatsAs('OWNER', 'ADMIN').filter(({ type }) => type !== 'DIRECT'));
  const { auditor } = actor.world;
  const below = [...(chat?.roles ?? [])].filter(
    ([id, role]) => id !== actor.user && id !== auditor && role !== 'OWNER',
  );
  const [user] = actor.random.pick(below) ?? [];
  return chat && user !== undefined ? { chat, user } : undefined;
}

/** A chat that the actor manages, and a user of the run who is no member of it. */
function outsider(actor: Actor): Target | undefined {
  const chat = actor.random.pick(actor.chatsAs('OWNER', 'ADMIN').filter(({ type }) => type !== 'DIRECT'));
  const user = actor.random.pick(actor.world.users.filter((id) => !chat?.roles.has(id)));
  return chat && user !== undefined ? { chat, user } : undefined;
}

const ofChat = ({ id: chatId }: KnownChat, effects: Effect[]) => ({ chatId, effects });

/** Members are added, removed and banned, and get other roles. */
export const members: readonly Operation[] = [
  {
    name: 'add a member',
    asks: ['AddMembers'],
    weight: 4,
    prepare({ actor }) {
      const { chat, user } = outsider(actor) ?? {};
      if (!chat || user === undefined) return undefined;
      const effects: Effect[] = [
        { kind: 'grant', right: actor.member(chat, user) },
        { kind: 'use', right: actor.admission(chat, user) },
      ];
      return async () => {
        const request = { chatId: chat.id, userIds: [user] };
        if (await actor.call('addMembers', request, ofChat(chat, effects))) chat.roles.set(user, 'MEMBER');
      };
    },
  },
  {
    name: 'remove a member',
    asks: ['RemoveMember'],
    weight: 2,
    prepare({ actor }) {
      const { chat, user } = someoneBelow(actor) ?? {};
      if (!chat || user === undefined) return undefined;
      const effects: Effect[] = [{ kind: 'withdraw', right: actor.member(chat, user) }];
      return async () => {
        const request = { chatId: chat.id, userId: user };
        if (await actor.call('removeMember', request, ofChat(chat, effects))) chat.roles.delete(user);
      };
    },
  },
  {
    name: 'change a role',
    asks: ['UpdateMember'],
    weight: 2,
    prepare({ actor }) {
      const { chat, user } = someoneBelow(actor) ?? {};
      const role = actor.random.pick<Role>(['READER', 'MEMBER', 'MEMBER', 'ADMIN'])!;
      if (!chat || user === undefined) return undefined;
      return async () => {
        const request = { chatId: chat.id, userId: user, role: ChatRole[role] };
        if (await actor.call('updateMember', request, ofChat(chat, []))) chat.roles.set(user, role);
      };
    },
  },
  {
    name: 'ban a member',
    asks: ['BanMember'],
    weight: 1,
    prepare({ actor }) {
      const { chat, user } = someoneBelow(actor) ?? {};
      if (!chat || user === undefined) return undefined;
      const effects: Effect[] = [
        { kind: 'withdraw', right: actor.member(chat, user) },
        { kind: 'withdraw', right: actor.admission(chat, user) },
      ];
      return async () => {
        const request = { chatId: chat.id, userId: user, reason: 'by chance' };
        if (!(await actor.call('banMember', request, ofChat(chat, effects)))) return;
        chat.roles.delete(user);
        chat.banned.add(user);
      };
    },
  },
  {
    name: 'lift a ban',
    asks: ['UnbanMember'],
    weight: 1.5,
    prepare({ actor }) {
      const chat = actor.random.pick(actor.chatsAs('OWNER', 'ADMIN').filter(({ banned }) => banned.size > 0));
      const user = actor.random.pick([...(chat?.banned ?? [])]);
      if (!chat || user === undefined) return undefined;
      const effects: Effect[] = [{ kind: 'grant', right: actor.admission(chat, user) }];
      return async () => {
        const request = { chatId: chat.id, userId: user };
        if (await actor.call('unbanMember', request, ofChat(chat, effects))) chat.banned.delete(user);
      };
    },
  },
];
