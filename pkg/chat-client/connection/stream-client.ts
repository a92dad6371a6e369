import type { Accepted, Event, Limits, Welcome } from '../../api/chat/v1/chat.ts';
import { sleep } from '../../backoff/sleep.ts';
import type { TokenKeeper } from '../auth/token-source.ts';
import { type ChatClientError, closedError, must } from '../errors/chat-error.ts';
import { errorFromStatus } from '../errors/status.ts';
import type { AllEvents, ConnectionState } from '../events/chat-client-events.ts';
import type { Emitter } from '../events/emitter.ts';
import { Subscriptions, subscribeId } from '../reading/subscriptions.ts';
import { DeliveredMarks } from '../sending/delivered-marks.ts';
import type { Outbox } from '../sending/outbox.ts';
import { Sender } from '../sending/sender.ts';
import { StreamSender } from '../sending/stream-sender.ts';
import { TypingSignals } from '../sending/typing-signals.ts';
import type { Stream, Transport } from '../transports/transport.ts';
import { Connection } from './connection.ts';

interface Deps {
  transport: Transport;
  tokens: TokenKeeper;
  closed: AbortSignal;
  outbox: Outbox | undefined;
  emitter: Emitter<AllEvents>;
}

interface StreamClientOptions {
  maxPendingSends: number;
  silenceMs: number;
  deliveredMarks: boolean;
}

/** Sends the client's commands on the current stream, and passes the stream's events to the parts that handle them. */
export class StreamClient {
  readonly sender: Sender;
  readonly streams: StreamSender;
  readonly #emitter: Emitter<AllEvents>;
  readonly #closed: AbortSignal;
  readonly #connection: Connection;
  readonly #subscriptions: Subscriptions;
  readonly #typing = new TypingSignals();
  readonly #delivered: DeliveredMarks | undefined;
  #state: ConnectionState = { kind: 'connecting' };
  /** The current stream; undefined until the service has sent `welcome`. */
  #stream: Stream | undefined;
  #welcome: Welcome | undefined;
  #running: Promise<void> | undefined;

  constructor(
    { transport, tokens, closed, outbox, emitter }: Deps,
    { maxPendingSends, silenceMs, deliveredMarks }: StreamClientOptions,
  ) {
    this.#emitter = emitter;
    this.#closed = closed;
    this.sender = new Sender({ emitter, closed, outbox }, { maxPending: maxPendingSends });
    this.streams = new StreamSender(closed);
    this.#subscriptions = new Subscriptions(emitter);
    this.#delivered = deliveredMarks ? new DeliveredMarks({ stream: () => this.#stream, closed }) : undefined;
    const connection = {
      transport,
      tokens,
      closed,
      onState: (state: ConnectionState) => this.#setState(state),
      onEvent: (stream: Stream, event: Event) => this.#receive(stream, event),
      onEnd: () => this.#leave(),
    };
    this.#connection = new Connection(connection, { silenceMs });
  }

  /** The limits that the service has told last. */
  get limits(): Limits | undefined {
    return this.#welcome?.limits;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Connects and keeps connecting until the client is closed. Calling it twice is harmless. */
  start(): void {
    if (this.#running || this.#closed.aborted) return;
    this.sender.restore();
    this.#running = this.#connection.run().then((error) => error && this.#close(error));
  }

  /** As `Subscriptions.cursor`. */
  cursor(chatId: string): number | undefined {
    return this.#subscriptions.cursor(chatId);
  }

  /** As `Subscriptions.joined`. */
  joined(chatId: string): void {
    this.#subscriptions.joined(chatId);
  }

  /** As `Subscriptions.saw`. */
  saw(chatId: string, seq: number): void {
    this.#subscriptions.saw(chatId, seq);
  }

  /** As `TypingSignals.tell`. */
  tellTyping(chatId: string): void {
    this.#typing.tell(this.#stream, chatId);
  }

  /** As `DeliveredMarks.read`. */
  hasRead(chatId: string, seq: number): void {
    this.#delivered?.read(chatId, seq);
  }

  /** Resolves once the last stream has ended. Call it after aborting the signal. */
  async end(): Promise<void> {
    await this.#running;
    this.#close();
  }

  #receive(stream: Stream, { event }: Event): void {
    switch (event?.$case) {
      case 'welcome':
        this.#stream = stream;
        this.#welcome = event.value;
        stream.send(this.#subscriptions.command(event.value.limits));
        this.sender.begin(stream, event.value.limits);
        this.streams.begin(stream);
        this.#delivered?.online();
        return this.#connection.succeeded();
      case 'message':
        if (event.value.sender?.id !== this.#welcome?.user?.id) this.#delivered?.received(event.value);
        return this.#subscriptions.message(event.value);
      case 'messageChanged':
        return this.#subscriptions.messageChanged(must(event.value.message));
      case 'messagePart':
        return this.#subscriptions.messagePart(event.value);
      case 'covered':
        return this.#subscriptions.covered(event.value);
      case 'reaction':
        return this.#subscriptions.reaction(event.value);
      case 'reset':
        return this.#subscriptions.reset(event.value);
      case 'subscribed':
        return this.#subscriptions.subscribed(event.value);
      case 'caughtUp':
        return this.#subscriptions.caughtUp(event.value);
      case 'accepted':
        if (this.streams.owns(event.value.commandId)) return this.#streamed(event.value);
        if (event.value.commandId !== subscribeId) return this.sender.accepted(event.value);
        this.#subscriptions.accepted();
        return this.#goOnline();
      case 'rejected': {
        const { commandId, status } = event.value;
        return this.#refused(stream, commandId, errorFromStatus(must(status)));
      }
      case 'chatAdded':
        return this.#emitter.emit('chatAdded', must(event.value.chat));
      case 'chatRemoved':
        return this.#subscriptions.removed(event.value);
      case 'typing':
        return this.#emitter.emit('typing', { chatId: event.value.chatId, user: must(event.value.user) });
      case 'presence': {
        const { chatId, user, online } = event.value;
        return this.#emitter.emit('presence', { chatId, user: must(user), online });
      }
      case 'read': {
        const { chatId, userId, seq, generation } = event.value;
        return this.#emitter.emit('read', { chatId, userId, seq, generation });
      }
      case 'delivered': {
        const { chatId, userId, seq } = event.value;
        return this.#emitter.emit('delivered', { chatId, userId, seq });
      }
      case 'stopRequested': {
        const { chatId, messageId, user } = event.value;
        return this.#emitter.emit('stopRequested', { chatId, messageId, user: must(user) });
      }
      case 'closing':
      case 'pong':
      case undefined:
        return;
      default:
        event satisfies never;
    }
  }

  /** Called once the subscription is accepted, so that an online client misses no message of a chat that its user joins. */
  #goOnline(): void {
    const { user, limits } = must(this.#welcome);
    if (this.#state.kind !== 'online') this.#setState({ kind: 'online', user: must(user), limits });
  }

  #streamed(accepted: Accepted): void {
    const chatId = this.streams.accepted(accepted);
    if (chatId !== undefined) this.#subscriptions.saw(chatId, accepted.seq);
  }

  #refused(stream: Stream, commandId: string, error: ChatClientError): void {
    if (this.streams.owns(commandId)) return this.streams.refused(stream, commandId, error);
    if (commandId !== subscribeId) return this.sender.refused(stream, commandId, error);
    this.#subscriptions.refused(error);
    // A permanent refusal, for example of a user with too many chats: the client can still send and make calls.
    if (!error.temporary && error.reason !== 'CURSOR_IN_FUTURE') this.#goOnline();
    void sleep(this.#connection.retryInMs(error), this.#closed).then(() => {
      if (this.#stream === stream) stream.send(this.#subscriptions.command(this.#welcome?.limits));
    });
  }

  #leave(): void {
    this.#stream = undefined;
    this.sender.end();
    this.streams.end();
  }

  #close(error?: ChatClientError): void {
    if (this.#state.kind === 'closed') return;
    this.sender.fail(error ?? closedError());
    this.streams.fail(error ?? closedError());
    this.#setState({ kind: 'closed', error });
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    this.#emitter.emit('state', state);
  }
}
