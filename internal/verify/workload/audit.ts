import { setTimeout as sleep } from 'node:timers/promises';
import type { Change, Message } from '../../../pkg/api/chat/v1/chat.ts';
import type { Actor } from '../clients/actor.ts';
import type { ChatEnd } from '../clients/chat-end.ts';
import type { Participant } from '../clients/participant.ts';
import { addChange, toMessageRecord } from '../clients/to-record.ts';
import type { KnownChat } from '../clients/world.ts';
import type { Effect } from '../history/history-record.ts';
import { lookAt } from '../operations/reading.ts';

/** The time for the rest of the audit after the signal has aborted, in milliseconds. */
const hurriedMs = 5_000;

/**
 * To be called when no client sends any more: reads every chat from its beginning, waits until all readers have reached its end, and ends them.
 * Never throws: a chat that could not be read is missing from the history.
 */
export async function audit(
  auditor: Actor,
  participants: readonly Participant[],
  settleMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const ends = new Map<string, ChatEnd>();
  const patience = new Patience(settleMs, signal);
  for (const chat of auditor.world.chats.values()) {
    if (chat.deleted) continue;
    const candidates = [auditor, ...participants.map(({ actor }) => actor)].filter(({ user }) => chat.roles.has(user));
    const end = await readWhole(chat.roles.has(auditor.user) ? [auditor] : candidates, chat, patience);
    if (end) ends.set(chat.id, end);
    if (end) await recount(candidates, chat);
  }
  patience.begin();
  const hasAll = ({ keeper, sdk }: Participant) => (keeper ?? sdk)!.hasReached(ends);
  while (!participants.every(hasAll) && patience.leftMs > 0) await sleep(50);
  await Promise.all(participants.map(({ keeper, sdk }) => (keeper ?? sdk)!.stop()));
}

/** Reads a chat from its first number to its last. Resolves with its end; undefined if no reader may read it, or the service is away for too long. */
async function readWhole(readers: readonly Actor[], chat: KnownChat, patience: Patience): Promise<ChatEnd | undefined> {
  patience.begin();
  for (let attempt = 0; patience.leftMs > 0; attempt += 1) {
    const actor = readers[attempt % readers.length];
    if (!actor) return undefined;
    const pages = await readPages(actor, chat);
    const owed = [...(actor.world.owed.get(chat.id) ?? [])];
    const found = new Set(pages?.messages.map(({ id }) => id).concat([...actor.world.hidden]));
    // A message that was acknowledged without a number may not be written yet.
    const isWhole = owed.every((id) => found.has(id)) || patience.leftMs < 5_000;
    if (pages && isWhole) return takeDown(actor, chat, pages);
    if (pages) attempt -= 1;
    if (attempt >= readers.length * 5 && readers.length > 1) return undefined;
    await sleep(200);
  }
  return undefined;
}

/** Asks every user, once, how many messages of the chat are unread and mention the user. */
async function recount(actors: readonly Actor[], chat: KnownChat): Promise<void> {
  const byUser = new Map(actors.map((actor) => [actor.user, actor]));
  await Promise.all([...byUser.values()].map((actor) => lookAt(actor, chat, { quiet: true })));
}

interface Pages {
  begin: number;
  /** The epoch of the changes. */
  epoch: string;
  changes: Change[];
  messages: Message[];
}

async function readPages(actor: Actor, chat: KnownChat): Promise<Pages | undefined> {
  const begin = actor.journal.now();
  const messages: Message[] = [];
  const changes: Change[] = [];
  // As far as the run knows, the reader is a member: a refusal would contradict that.
  const effects: Effect[] = [{ kind: 'use', right: actor.member(chat) }];
  let epoch = '';
  // Only an empty answer says that there is nothing more: others may be up to a second old.
  for (let afterSeq = 0, isEmpty = false; !isEmpty; ) {
    const request = { chatId: chat.id, afterSeq, pageSize: 200 };
    const page = await actor.call('listChanges', request, { name: 'audit changes', chatId: chat.id, effects });
    if (!page) return undefined;
    changes.push(...page.changes);
    epoch = page.epoch;
    afterSeq = page.lastSeq;
    isEmpty = page.changes.length === 0;
  }
  for (let afterSeq = 0, hasMore = true; hasMore; ) {
    const request = { chatId: chat.id, afterSeq, pageSize: 200 };
    const page = await actor.call('listMessages', request, { name: 'audit', chatId: chat.id, effects });
    if (!page) return undefined;
    messages.push(...page.messages);
    afterSeq = page.messages.at(-1)?.seq ?? afterSeq;
    hasMore = page.hasMore;
  }
  return { begin, epoch, changes, messages };
}

/** Records what was read; returns the end of the chat. */
function takeDown(actor: Actor, { id: chatId }: KnownChat, { begin, epoch, changes, messages }: Pages): ChatEnd {
  const { journal, name: client, user, transportName: via } = actor;
  const at = journal.now();
  const read = (source: 'changes' | 'audit', add: (reader: string) => number): number => {
    const reader = `${client}/${source}-${chatId}`;
    journal.add({ kind: 'open', at, reader, source, client, user, via, chatId, begin, afterSeq: 0 });
    const seq = add(reader);
    journal.add({ kind: 'reached', at, reader, seq, begin, complete: true });
    journal.add({ kind: 'close', at, reader, why: 'client' });
    return seq;
  };
  const number = read('changes', (reader) => changes.reduce((_, change) => addChange(journal, reader, at, change), 0));
  const message = read('audit', (reader) => {
    for (const one of messages) journal.add(toMessageRecord(reader, at, one));
    return messages.at(-1)?.seq ?? 0;
  });
  return { number, epoch, message };
}

/** The time left for a step of the audit: `stepMs`, or `hurriedMs` once the signal has aborted. */
class Patience {
  readonly #stepMs: number;
  #stepUntil = 0;
  #until = Number.POSITIVE_INFINITY;

  constructor(stepMs: number, signal?: AbortSignal) {
    this.#stepMs = stepMs;
    const hurry = () => {
      this.#until = performance.now() + hurriedMs;
    };
    if (signal?.aborted) hurry();
    else signal?.addEventListener('abort', hurry, { once: true });
  }

  begin(): void {
    this.#stepUntil = performance.now() + this.#stepMs;
  }

  get leftMs(): number {
    return Math.min(this.#stepUntil, this.#until) - performance.now();
  }
}
