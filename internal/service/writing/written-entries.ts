import type { Bus } from '../../client/bus/bus.ts';
import type { Counter, Metrics } from '../../client/metrics/metrics.ts';
import type { Complete } from '../../model/complete.ts';
import { type Entry, entryOf } from '../../model/entry.ts';
import type { Message, MessageStreaming } from '../../model/message.ts';
import type { ReactionChange } from '../../model/reaction.ts';
import type { TraceContext } from '../../model/trace-context.ts';
import type { Appended, NewMessage } from '../../repository/message-repository.ts';

/** How many messages and changes were committed. */
export interface WrittenCounters {
  messages: Counter<never>;
  changes: Counter<'kind'>;
}

export function writtenCounters(metrics: Metrics): WrittenCounters {
  return {
    messages: metrics.counter({
      name: 'chat_messages_saved_total',
      help: 'New messages of users that were committed.',
    }),
    changes: metrics.counter({
      name: 'chat_changes_saved_total',
      help: 'Edits, deletions, reactions and flushes of streamed messages that were committed.',
      labels: ['kind'],
    }),
  };
}

/** Collects the entries of a written batch, to count them and to publish them by chat. */
export class WrittenEntries {
  readonly #counters: WrittenCounters;
  readonly #stored = new Map<string, Entry[]>();
  readonly #heads = new Map<string, number>();
  /** By chat, of the entries whose traces are recorded. */
  readonly #traces = new Map<string, TraceContext[]>();
  /** The same for all entries of a batch. */
  #epoch: string | undefined;

  constructor(counters: WrittenCounters) {
    this.#counters = counters;
  }

  /** Adds a new message. Add the messages of a chat in the order of their numbers. */
  addStored(
    {
      chatId,
      sender,
      clientMessageId,
      text,
      data,
      type,
      silent,
      replyToId,
      mentions,
      streaming,
      trace,
    }: Omit<NewMessage, 'asService' | 'contentHash'> & { streaming?: MessageStreaming },
    appended: Omit<Appended, 'outcome'>,
  ): void {
    const { messageId, seq, createdAt, epoch, replyToSeq, rootId } = appended;
    const message: Complete<Message> = {
      id: messageId,
      chatId,
      seq,
      updateSeq: seq,
      sender,
      clientMessageId,
      text,
      createdAt,
      system: undefined,
      data,
      editedAt: undefined,
      deletion: undefined,
      reactions: undefined,
      type,
      silent,
      replyTo:
        replyToId !== undefined && replyToSeq !== undefined ? { messageId: replyToId, seq: replyToSeq } : undefined,
      rootId,
      streaming,
      mentions,
      thread: undefined,
    };
    this.#counters.messages.add(1);
    this.#add(chatId, entryOf(message), epoch, trace);
  }

  /** Adds a message as a change has left it, which was committed in that epoch, or later. Add the changes of a chat in the order of their numbers. */
  addChanged(message: Message, epoch: string | undefined, trace: TraceContext | undefined): void {
    this.#counters.changes.add(1, { kind: message.deletion ? 'deleted' : 'edited' });
    this.#add(message.chatId, entryOf(message), epoch, trace);
  }

  /** Adds a change of a reaction, which was committed in that epoch, or later. Add the changes of a chat in the order of their numbers. */
  addReaction(reaction: ReactionChange, epoch: string, trace: TraceContext | undefined): void {
    this.#counters.changes.add(1, { kind: 'reacted' });
    this.#add(reaction.chatId, { kind: 'reaction', reaction }, epoch, trace);
  }

  #add(chatId: string, entry: Entry, epoch: string | undefined, trace: TraceContext | undefined): void {
    this.#epoch = epoch;
    const ofChat = this.#stored.get(chatId);
    if (ofChat) ofChat.push(entry);
    else this.#stored.set(chatId, [entry]);
    if (trace) this.#traces.set(chatId, [...(this.#traces.get(chatId) ?? []), trace]);
  }

  /** Adds an entry of another kind, which `kind` names for the counter. Add the entries of a chat in the order of their numbers. */
  addEntry(
    chatId: string,
    entry: Entry,
    kind: string,
    { epoch, trace }: { epoch: string; trace: TraceContext | undefined },
  ): void {
    this.#counters.changes.add(1, { kind });
    this.#add(chatId, entry, epoch, trace);
  }

  /** Counts a message that an earlier attempt here has committed without an answer. */
  countLate(): void {
    this.#counters.messages.add(1);
  }

  /** Adds a write that an earlier attempt may have committed without an answer. Nobody has published it then, so the chat's head is published. */
  addRepeated({ chatId }: { chatId: string }, { seq }: { seq: number }): void {
    this.#heads.set(chatId, Math.max(seq, this.#heads.get(chatId) ?? 0));
  }

  publish(bus: Bus): void {
    const epoch = this.#epoch;
    for (const [chatId, seq] of this.#heads) bus.publishToChat(chatId, { kind: 'head', seq });
    for (const [chatId, entries] of this.#stored) {
      const traces = this.#traces.get(chatId) ?? [];
      bus.publishToChat(chatId, { kind: 'entries', entries, traces, ...(epoch !== undefined && { epoch }) });
    }
  }
}
