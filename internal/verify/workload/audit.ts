import type { Message } from '../../../pkg/api/chat/v1/chat.ts';
import type { Doer } from '../operations/operation.ts';
import type { Actor } from './actor.ts';
import { toMessageRecord } from './to-record.ts';
import type { KnownChat } from './world.ts';

/**
 * When nobody writes any more: reads every chat from its beginning, gives the readers time to come to its end, and ends them. Throws nothing:
 * what could not be read is not in the history.
 */
export async function audit(
  auditor: Actor,
  doers: readonly Doer[],
  settleMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const heads = new Map<string, number>();
  for (const chat of auditor.world.chats.values()) {
    if (chat.deleted) continue;
    const candidates = [auditor, ...doers.map(({ actor }) => actor)].filter(({ user }) => chat.roles.has(user));
    const head = await readWhole(chat.roles.has(auditor.user) ? [auditor] : candidates, chat, settleMs, signal);
    if (head !== undefined) heads.set(chat.id, head);
  }
  const giveUpAt = performance.now() + settleMs;
  const hasAll = ({ keeper, sdk }: Doer) => (keeper ?? sdk)!.hasReached(heads);
  while (!doers.every(hasAll) && performance.now() < giveUpAt && !signal?.aborted) await pause(50);
  await Promise.all(doers.map(({ keeper, sdk }) => (keeper ?? sdk)!.stop()));
}

/** Reads a chat from its first message to its last; undefined if nobody may, or the service is away for too long. */
async function readWhole(
  readers: readonly Actor[],
  chat: KnownChat,
  settleMs: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const giveUpAt = performance.now() + settleMs;
  for (let attempt = 0; performance.now() < giveUpAt && !signal?.aborted; attempt += 1) {
    const actor = readers[attempt % readers.length];
    if (!actor) return undefined;
    const pages = await readPages(actor, chat);
    const owed = [...(actor.world.owed.get(chat.id) ?? [])];
    const found = new Set(pages?.messages.map(({ id }) => id));
    // What was acknowledged before it had a number may still be on its way.
    const isWhole = owed.every((id) => found.has(id)) || performance.now() > giveUpAt - 5_000;
    if (pages && isWhole) return takeDown(actor, chat, `${actor.name}/audit-${chat.id}`, pages);
    if (pages) attempt -= 1;
    if (attempt >= readers.length * 5 && readers.length > 1) return undefined;
    await pause(200);
  }
  return undefined;
}

interface Pages {
  begin: number;
  messages: Message[];
}

async function readPages(actor: Actor, chat: KnownChat): Promise<Pages | undefined> {
  const begin = actor.journal.now();
  const messages: Message[] = [];
  for (let afterSeq = 0, hasMore = true; hasMore; ) {
    const page = await actor.call('listMessages', { chatId: chat.id, afterSeq, pageSize: 200 }, { name: 'audit' });
    if (!page) return undefined;
    messages.push(...page.messages);
    afterSeq = page.messages.at(-1)?.seq ?? afterSeq;
    hasMore = page.hasMore;
  }
  return { begin, messages };
}

/** Takes down what was read; returns the number of the last message. */
function takeDown(actor: Actor, { id: chatId }: KnownChat, reader: string, { begin, messages }: Pages): number {
  const { journal, name: client, user, way: via } = actor;
  const at = journal.now();
  journal.add({ kind: 'open', at, reader, source: 'audit', client, user, via, chatId, begin, afterSeq: 0 });
  for (const message of messages) journal.add(toMessageRecord(reader, at, message));
  const seq = messages.at(-1)?.seq ?? 0;
  journal.add({ kind: 'reached', at, reader, seq, begin, complete: true });
  journal.add({ kind: 'close', at, reader, why: 'client' });
  return seq;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
