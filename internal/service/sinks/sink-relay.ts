import type { Logger } from 'pino';
import { sleep } from '../../../pkg/backoff/sleep.ts';
import { type EventStream, type ExportedEvent, OutOfPlace } from '../../client/sinks/event-stream.ts';
import type { ChatToExport, ExportRepository } from '../../repository/export-repository.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';

interface Deps {
  exports: ExportRepository;
  messages: Pick<MessageRepository, 'findChanges'>;
  stream: EventStream;
  log: Logger;
}

export interface SinkRelayOptions {
  /** Chats at the same time. */
  maxChats: number;
  /** Changes of a chat before others have their turn. */
  pageSize: number;
  /** How long a chat is left to a relay that says nothing, in milliseconds. */
  leaseMs: number;
  /** How often it looks for changes when there are none, in milliseconds. */
  pollMs: number;
  /** How long it rests after a failure, in milliseconds. */
  restMs: number;
}

/**
 * Copies every durable change to the stream: each chat's in the order of their numbers, none left out. An event may come twice when a relay dies, or the
 * stream's answer is lost, and the stream has forgotten it meanwhile. Several relays share the chats; two that take each other for dead cannot
 * put events out of order, for each names the event before its own.
 */
export class SinkRelay {
  readonly #deps: Deps;
  readonly #options: SinkRelayOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #enabled = false;
  #failing = false;

  constructor(deps: Deps, options: SinkRelayOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when what is under way has been noted. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let restMs = 0;
      try {
        const exported = await this.#exportSome();
        if (exported === 0) restMs = this.#options.pollMs;
        // That there was nothing to export says nothing of where it goes.
        else if (this.#failing) {
          this.#deps.log.info('changes are exported again');
          this.#failing = false;
        }
      } catch (err) {
        if (!this.#failing) this.#deps.log.warn({ err }, 'changes cannot be exported at the moment');
        this.#failing = true;
        restMs = this.#options.restMs;
      }
      if (restMs > 0) await sleep(restMs, signal);
    }
  }

  /** Returns how many chats had something to export. */
  async #exportSome(): Promise<number> {
    const { exports } = this.#deps;
    if (!this.#enabled) await exports.enable();
    this.#enabled = true;
    const chats = await exports.claim(this.#options.maxChats, this.#options.leaseMs);
    const results = await Promise.allSettled(chats.map((chat) => this.#export(chat)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return chats.length;
  }

  async #export({ chatId, deleted, ...from }: ChatToExport): Promise<void> {
    const { exports, messages } = this.#deps;
    const page = deleted ? undefined : await messages.findChanges(chatId, from.exportedSeq, this.#options.pageSize);
    if (!page) {
      await this.#append({ kind: 'chat_deleted', chatId }, from);
      return exports.forget(chatId);
    }
    let reached: Reached = from;
    try {
      for (const message of page.messages) {
        if (this.#stopping.signal.aborted) return;
        if (message.updateSeq > reached.exportedSeq)
          reached = await this.#append({ kind: 'message', message }, reached);
      }
      // The chat's last change may have no row of its own any more.
      if (!page.hasMore) reached = { ...reached, exportedSeq: Math.max(reached.exportedSeq, page.lastSeq) };
    } finally {
      await exports.release({ chatId, ...reached });
    }
  }

  /** Returns how far the chat has come with it, or came before: this event, and maybe later ones, may have been there and not been noted. */
  async #append(event: ExportedEvent, { position }: Reached): Promise<Reached> {
    const { stream } = this.#deps;
    const exportedSeq = seqOf(event);
    try {
      return { exportedSeq, position: await stream.append(event, position) };
    } catch (error) {
      if (!(error instanceof OutOfPlace)) throw error;
      const last = await stream.findLast(chatIdOf(event));
      const lastSeq = last && (last.seq ?? endOfChat);
      if (last && lastSeq !== undefined && lastSeq >= exportedSeq)
        return { exportedSeq: lastSeq, position: last.position };
      // What was before it is at another place: the stream was made anew, or it has gone by age.
      return { exportedSeq, position: await stream.append(event, last?.position ?? 0) };
    }
  }
}

type Reached = Pick<ChatToExport, 'exportedSeq' | 'position'>;

/** Comes after all messages. */
const endOfChat = Number.MAX_SAFE_INTEGER;

function chatIdOf(event: ExportedEvent): string {
  return event.kind === 'message' ? event.message.chatId : event.chatId;
}

function seqOf(event: ExportedEvent): number {
  return event.kind === 'message' ? event.message.updateSeq : endOfChat;
}
