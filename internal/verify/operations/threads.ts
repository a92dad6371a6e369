import type { Actor } from '../clients/actor.ts';
import type { KnownMessage } from '../clients/world.ts';
import type { Operation } from './operation.ts';

/** A message in a chat that the user may send to, as far as the clients know. */
function someMessage(actor: Actor): KnownMessage | undefined {
  return actor.random.pick([...(actor.random.pick(actor.sendable)?.recent.values() ?? [])]);
}

/** Few messages of a chat get threads, so that threads become long. */
function someRoot(actor: Actor): KnownMessage | undefined {
  const recent = [...(actor.random.pick(actor.sendable)?.recent.values() ?? [])];
  return actor.random.pick(recent.filter(({ id }) => id.endsWith('0')));
}

/** Reads a whole thread in one answer, and records it with its summary. Longer threads are not recorded. */
async function readThread(actor: Actor, { chatId, id: messageId }: KnownMessage): Promise<void> {
  const { journal, name: client, user } = actor;
  const begin = journal.now();
  const effects = [{ kind: 'use' as const, right: actor.member({ id: chatId }) }];
  const answer = await actor.call('listThread', { chatId, messageId, afterSeq: 0, pageSize: 200 }, { chatId, effects });
  if (!answer?.root || answer.hasMore) return;
  const { root, messages } = answer;
  const says = root.thread && {
    replies: root.thread.replyCount,
    last: root.thread.lastSeq,
    participants: root.thread.participantIds,
  };
  const listed = messages.map(({ id, seq, sender, deletedAt }) => ({
    id,
    seq,
    sender: sender?.id ?? '',
    ...(deletedAt && { deleted: true as const }),
  }));
  journal.add({
    kind: 'thread',
    at: journal.now(),
    begin,
    client,
    user,
    chatId,
    root: root.id,
    ...(says && { says }),
    listed,
  });
}

/** Clients reply, write in threads, and read and follow them. */
export const threads: readonly Operation[] = [
  {
    name: 'reply',
    asks: ['SendMessage'],
    weight: 6,
    prepare({ actor }) {
      const message = someMessage(actor);
      const by = actor.random.pick(actor.waysToAsk)!;
      return message && (() => actor.send(actor.draft(message.chatId, { replyToId: message.id }), by));
    },
  },
  {
    name: 'write in a thread',
    asks: ['SendMessage'],
    weight: 10,
    prepare({ actor }) {
      const root = someRoot(actor);
      const by = actor.random.pick(actor.waysToAsk)!;
      const replyToId = actor.random.chance(0.3) ? someMessage(actor) : undefined;
      const references = root && {
        rootId: root.id,
        ...(replyToId?.chatId === root.chatId && { replyToId: replyToId.id }),
      };
      return root && references && (() => actor.send(actor.draft(root.chatId, references), by));
    },
  },
  {
    name: 'read a thread',
    asks: ['ListThread'],
    weight: 5,
    prepare({ actor }) {
      const root = someRoot(actor);
      return root && (() => readThread(actor, root));
    },
  },
  {
    name: 'follow a thread',
    asks: ['FollowThread', 'UnfollowThread', 'MarkThreadRead'],
    weight: 3,
    prepare({ actor }) {
      const root = someRoot(actor);
      const by = actor.random.pick(actor.waysToAsk)!;
      const method = actor.random.pick(['followThread', 'unfollowThread', 'markThreadRead'] as const)!;
      if (!root) return undefined;
      const { chatId, id: messageId } = root;
      const effects = [{ kind: 'use' as const, right: actor.member({ id: chatId }) }];
      return () => actor.call(method, { chatId, messageId, seq: root.version }, { chatId, effects, by });
    },
  },
];
