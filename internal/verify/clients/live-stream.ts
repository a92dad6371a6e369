import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, type Event, type Message, MessageStreaming, StartFrom } from '../../../pkg/api/chat/v1/chat.ts';
import { type ChatClientError, toChatClientError } from '../../../pkg/chat-client/errors/chat-error.ts';
import { withPart } from '../../../pkg/chat-client/messages/with-part.ts';
import type { Stream } from '../../../pkg/chat-client/transports/transport.ts';
import type { CloseRecord } from '../history/history-record.ts';
import type { Journal } from '../history/journal.ts';
import type { Connection } from '../transports/deployment.ts';
import { toMessageRecord, toReactionRecord } from './to-record.ts';

type EventBody = NonNullable<Event['event']>;
type CommandBody = NonNullable<Command['command']>;

/** How long to wait for an answer, in milliseconds. */
const answerMs = 10_000;

interface Reading {
  reader: string;
  begin: number;
  /** Whether the client asked for it; false if the service began it by itself. */
  asked: boolean;
  caughtUp: boolean;
  /** The highest number received. */
  position: number;
  /** The epoch of the position. */
  epoch: string;
  /** By id, the messages that grow, as the reader has them. */
  growing: Map<string, Message>;
}

interface Deps {
  connection: Connection;
  token: string;
  journal: Journal;
  client: string;
  user: string;
  via: string;
  /** The stream's name, unique in the run. */
  name: string;
}

interface Asked {
  begin: number;
  cursors: Record<string, number | undefined>;
  epochs: Record<string, string | undefined>;
  all: boolean;
}

/** Called with what the stream receives. */
export interface LiveListener {
  added(chatId: string): void;
  removed(chatId: string): void;
  /** Everything up to a number of an epoch has arrived. After `reset` the number may be less than before. */
  moved(chatId: string, position: number, epoch: string): void;
  caughtUp(): void;
  ended(why: CloseRecord['why'], retryAfterMs: number): void;
}

/** One stream, without the SDK's retries and resumption. Records everything that arrives. */
export class LiveStream {
  readonly #deps: Deps;
  readonly #listener: LiveListener;
  readonly #stream: Stream;
  readonly #abort = new AbortController();
  readonly #readings = new Map<string, Reading>();
  readonly #asked = new Map<string, Asked>();
  readonly #answers = new Map<string, (answer: EventBody | undefined) => void>();
  #lastCommand = 0;
  #lastReader = 0;
  #closing: { reason: number; retryAfterMs: number } | undefined;
  #resume: Promise<void> | undefined;
  #welcomed = false;
  isOver = false;
  /** Resolves when the stream has ended and its end is recorded. */
  readonly over: Promise<void>;

  constructor(deps: Deps, listener: LiveListener) {
    this.#deps = deps;
    this.#listener = listener;
    this.#stream = deps.connection.transport.connect(deps.token, this.#abort.signal);
    this.over = this.#read();
  }

  get isWelcomed(): boolean {
    return this.#welcomed;
  }

  get followed(): string[] {
    return [...this.#readings.keys()];
  }

  isCaughtUp(chatId: string): boolean {
    return this.#readings.get(chatId)?.caughtUp ?? false;
  }

  /** The epoch of the position of a chat that is being read. */
  epoch(chatId: string): string | undefined {
    return this.#readings.get(chatId)?.epoch;
  }

  /** The highest number received of a chat that is being read. */
  position(chatId: string): number | undefined {
    return this.#readings.get(chatId)?.position;
  }

  /** Sends a command. Resolves with the event that answers it, or with undefined after `answerMs` or when the stream ends first. */
  ask(command: CommandBody): Promise<EventBody | undefined> {
    if (this.isOver) return Promise.resolve(undefined);
    this.#lastCommand += 1;
    const commandId = `c${this.#lastCommand}`;
    const { promise, resolve } = Promise.withResolvers<EventBody | undefined>();
    const timer = setTimeout(() => resolve(undefined), answerMs);
    this.#answers.set(commandId, resolve);
    if (command.$case === 'subscribe') {
      const { chatId, afterSeq, epoch } = command.value;
      const begin = this.#deps.journal.now();
      this.#asked.set(commandId, { begin, cursors: { [chatId]: afterSeq }, epochs: { [chatId]: epoch }, all: false });
    } else if (command.$case === 'subscribeAll') {
      const { cursors, epochs } = command.value;
      this.#asked.set(commandId, { begin: this.#deps.journal.now(), cursors, epochs, all: true });
    }
    this.#stream.send({ commandId, command });
    return promise.finally(() => {
      clearTimeout(timer);
      this.#answers.delete(commandId);
    });
  }

  /** Subscribes to a chat after a number of an epoch; without an epoch of the present one. Without a number to what is sent from now on. */
  follow(chatId: string, afterSeq?: number, epoch?: string): Promise<EventBody | undefined> {
    return this.ask({ $case: 'subscribe', value: { chatId, afterSeq, epoch } });
  }

  /** Subscribes to all chats of the user; to those without a cursor from where the user joined. */
  followAll(cursors: Record<string, number>, epochs: Record<string, string>): Promise<EventBody | undefined> {
    return this.ask({ $case: 'subscribeAll', value: { cursors, others: StartFrom.JOINED, epochs } });
  }

  /** Stops reading for a while, like a client that hangs. */
  async stall(ms: number): Promise<void> {
    const begin = this.#deps.journal.now();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resume = promise;
    const resume = this.#deps.connection.pause();
    await sleep(ms);
    resume();
    this.#resume = undefined;
    resolve();
    const at = this.#deps.journal.now();
    for (const { reader } of this.#readings.values()) this.#deps.journal.add({ kind: 'stall', at, reader, begin });
  }

  /** Ends the stream without telling the service. */
  close(why: 'client' | 'end' = 'client'): void {
    for (const chatId of this.followed) this.#end(chatId, why);
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    let failure: ChatClientError | undefined;
    try {
      for await (const events of this.#stream.frames) {
        for (const { event } of events) if (event && !this.#abort.signal.aborted) this.#receive(event);
        await this.#resume;
      }
    } catch (error) {
      failure = toChatClientError(error);
    }
    // Only the service gives a reason; an error of the network has none.
    const told = this.#closing !== undefined || (failure?.reason ?? '') !== '';
    const why = this.#abort.signal.aborted ? 'client' : told ? 'told' : 'lost';
    const detail = this.#closing
      ? `closing ${this.#closing.reason}`
      : `${failure?.code ?? 'ended'} ${failure?.message ?? ''}`;
    for (const chatId of this.followed) this.#end(chatId, why, detail);
    this.isOver = true;
    for (const resolve of this.#answers.values()) resolve(undefined);
    this.#listener.ended(why, this.#closing?.retryAfterMs ?? 0);
  }

  #receive(event: EventBody): void {
    const { journal } = this.#deps;
    const at = journal.now();
    switch (event.$case) {
      case 'welcome':
        this.#welcomed = true;
        return;
      case 'subscribed': {
        const { commandId, chatId, afterSeq, epoch: present } = event.value;
        const asked = this.#asked.get(commandId);
        // The client's own cursor counts: the service must not begin elsewhere.
        const from = asked?.cursors[chatId] ?? afterSeq;
        // Until `reset` says where a new epoch begins, the cursor is one of the epoch before.
        const epoch = asked?.epochs[chatId] || present;
        if (this.#readings.has(chatId)) this.#end(chatId, 'client');
        this.#lastReader += 1;
        const reader = `${this.#deps.name}/${this.#lastReader}`;
        const begin = asked?.begin ?? at;
        this.#readings.set(chatId, {
          reader,
          begin,
          asked: !!asked,
          caughtUp: false,
          position: from,
          epoch,
          growing: new Map(),
        });
        const { client, user, via } = this.#deps;
        const epochs = { epoch: present, cursorEpoch: epoch };
        const start = { source: 'live' as const, client, user, via, chatId, begin, afterSeq: from };
        journal.add({ kind: 'open', at, reader, ...start, ...epochs });
        this.#answer(commandId, event);
        return;
      }
      case 'caughtUp': {
        const reading = this.#readings.get(event.value.chatId);
        if (!reading) return;
        const { seq } = event.value;
        journal.add({
          kind: 'reached',
          at,
          reader: reading.reader,
          seq,
          begin: reading.begin,
          complete: reading.asked,
        });
        reading.caughtUp = true;
        reading.position = Math.max(reading.position, seq);
        this.#listener.moved(event.value.chatId, reading.position, reading.epoch);
        this.#listener.caughtUp();
        return;
      }
      case 'message':
      case 'messageChanged': {
        const message = event.$case === 'message' ? event.value : event.value.message;
        const reading = message && this.#readings.get(message.chatId);
        if (!reading) return;
        const changed = event.$case === 'messageChanged';
        journal.add(toMessageRecord(reading.reader, at, message, changed));
        if (message.streaming === MessageStreaming.STREAMING) reading.growing.set(message.id, message);
        else reading.growing.delete(message.id);
        this.#move(message.chatId, reading, changed ? message.updateSeq : message.seq);
        return;
      }
      case 'reaction': {
        const reading = this.#readings.get(event.value.chatId);
        if (!reading) return;
        journal.add(toReactionRecord(reading.reader, at, event.value));
        this.#move(event.value.chatId, reading, event.value.seq);
        return;
      }
      case 'covered': {
        const { chatId, fromSeq: from, toSeq: to } = event.value;
        const reading = this.#readings.get(chatId);
        if (!reading) return;
        journal.add({ kind: 'covered', at, reader: reading.reader, from, to });
        this.#move(chatId, reading, to);
        return;
      }
      case 'messagePart': {
        const { chatId, messageId: id, seq } = event.value;
        const reading = this.#readings.get(chatId);
        if (!reading) return;
        const known = reading.growing.get(id);
        if (known) {
          const grown = withPart(known, event.value);
          reading.growing.set(id, grown);
          // What the reader has already brings nothing but its number.
          if (grown === known) journal.add({ kind: 'grown', at, reader: reading.reader, seq, id });
          else journal.add(toMessageRecord(reading.reader, at, grown, true));
        } else journal.add({ kind: 'grown', at, reader: reading.reader, seq, id });
        this.#move(chatId, reading, seq);
        return;
      }
      case 'reset': {
        const { chatId, epoch, fromSeq: from } = event.value;
        const reading = this.#readings.get(chatId);
        if (!reading) return;
        journal.add({ kind: 'reset', at, reader: reading.reader, epoch, from });
        reading.epoch = epoch;
        // They may have lost parts.
        reading.growing.clear();
        reading.position = Math.min(reading.position, from);
        this.#listener.moved(chatId, reading.position, epoch);
        return;
      }
      case 'chatAdded':
        return this.#listener.added(event.value.chat?.id ?? '');
      case 'chatRemoved':
        this.#end(event.value.chatId, 'told', `removed ${event.value.reason}`);
        return this.#listener.removed(event.value.chatId);
      case 'accepted':
      case 'rejected':
      case 'pong':
        return this.#answer(event.value.commandId, event);
      case 'closing':
        this.#closing = event.value;
        return;
      case 'typing':
      case 'presence':
      case 'read':
      case 'stopRequested':
      case 'delivered':
        return;
      default:
        event satisfies never;
    }
  }

  #move(chatId: string, reading: Reading, seq: number): void {
    reading.position = Math.max(reading.position, seq);
    this.#listener.moved(chatId, reading.position, reading.epoch);
  }

  #answer(commandId: string, event: EventBody): void {
    // `subscribe_all` is answered by `accepted`; the `subscribed` of each chat carries the same command id.
    if (event.$case === 'subscribed' && this.#asked.get(commandId)?.all !== false) return;
    this.#answers.get(commandId)?.(event);
  }

  #end(chatId: string, why: CloseRecord['why'], detail?: string): void {
    const reading = this.#readings.get(chatId);
    if (!reading) return;
    this.#readings.delete(chatId);
    const at = this.#deps.journal.now();
    this.#deps.journal.add({ kind: 'close', at, reader: reading.reader, why, ...(detail !== undefined && { detail }) });
  }
}
