import type { Accepted, Command, Limits } from '../../api/chat/v1/chat.ts';
import { Backoff } from '../../backoff/backoff.ts';
import { sleep } from '../../backoff/sleep.ts';
import { ChatClientError } from '../errors/chat-error.ts';
import type { AllEvents } from '../events/chat-client-events.ts';
import type { Emitter } from '../events/emitter.ts';
import type { PendingMessage } from '../messages/pending-message.ts';
import type { Receipt } from '../messages/receipt.ts';
import { retryPauses } from '../timing/retry-pauses.ts';
import type { Stream } from '../transports/transport.ts';
import { type DurableCommand, messageOf, sendMessage } from './durable-command.ts';
import type { Outbox } from './outbox.ts';
import { PendingCommands } from './pending-commands.ts';
import { sizeFault } from './size-fault.ts';

interface Deps {
  emitter: Emitter<AllEvents>;
  closed: AbortSignal;
  outbox: Outbox | undefined;
}

/** Sends durable commands, messages above all, on one stream after the other until each is answered for good. */
export class Sender {
  readonly #deps: Deps;
  readonly #maxPending: number;
  readonly #commands = new PendingCommands();
  readonly #resends = new Backoff(retryPauses);
  #stream: Stream | undefined;
  /** As the service said last. */
  #limits: Limits | undefined;
  /** The stream on which refused messages are about to be sent again. */
  #resendingOn: Stream | undefined;
  #restored = false;

  constructor(deps: Deps, { maxPending }: { maxPending: number }) {
    this.#deps = deps;
    this.#maxPending = maxPending;
  }

  /** The messages that have no answer yet. */
  get pending(): PendingMessage[] {
    return this.#commands.all.flatMap((command) => messageOf(command) ?? []);
  }

  get size(): number {
    return this.#commands.size;
  }

  /** Takes up what was left in the outbox, before anything else is sent. */
  restore(): void {
    if (this.#restored) return;
    this.#restored = true;
    for (const message of this.#deps.outbox?.load() ?? []) this.#add(sendMessage(message)).catch(() => {});
  }

  /** Resolves when the service has carried the command out. A message waits in the outbox, if there is one. Throws ChatClientError. */
  async perform(command: DurableCommand): Promise<Receipt> {
    this.restore();
    if (this.#commands.size >= this.#maxPending) {
      throw new ChatClientError('too many messages are waiting for an answer', { code: 'RESOURCE_EXHAUSTED' });
    }
    const message = messageOf(command);
    try {
      if (message) this.#deps.outbox?.put(message);
    } catch (cause) {
      throw new ChatClientError('the outbox has no room for the message', { code: 'RESOURCE_EXHAUSTED', cause });
    }
    return this.#add(command);
  }

  /** What is without an answer goes out, and then what is sent from now on; what the service would not take is refused here. */
  begin(stream: Stream, limits: Limits | undefined): void {
    this.#stream = stream;
    this.#limits = limits;
    for (const command of this.#commands.commands()) this.#transmit(command);
  }

  /** The stream is over: what is sent waits for the next one. */
  end(): void {
    this.#stream = undefined;
  }

  /** Rejects what has no answer; in the outbox it stays. */
  fail(error: ChatClientError): void {
    this.#commands.fail(error);
  }

  accepted({ commandId, messageId, seq, createdAt = new Date() }: Accepted): void {
    this.#resends.reset();
    const pending = this.#commands.take(commandId);
    if (!pending) return;
    const message = messageOf(pending.command);
    if (message) this.#deps.outbox?.remove(message);
    pending.resolve({ messageId, seq, createdAt });
    if (message) this.#deps.emitter.emit('sent', { ...message, messageId, seq, createdAt });
  }

  refused(stream: Stream, commandId: string, error: ChatClientError): void {
    const pending = this.#commands.get(commandId);
    if (!pending) return;
    if (error.temporary) {
      pending.refused = true;
      return this.#resendLater(stream, error);
    }
    this.#giveUp(commandId, error);
  }

  #add(body: DurableCommand): Promise<Receipt> {
    const { command, receipt } = this.#commands.add(body);
    this.#transmit(command);
    return receipt;
  }

  /** Without a stream it waits for the next one. */
  #transmit(command: Command): void {
    const fault = sizeFault(command, this.#limits);
    if (fault) this.#giveUp(command.commandId, fault);
    else this.#stream?.send(command);
  }

  /** Refused for good. */
  #giveUp(commandId: string, error: ChatClientError): void {
    const pending = this.#commands.take(commandId);
    if (!pending) return;
    const message = messageOf(pending.command);
    if (message) this.#deps.outbox?.remove(message);
    pending.reject(error);
    if (message) this.#deps.emitter.emit('refused', { ...message, error });
  }

  /** What is refused until then goes together, in the order in which it was sent. */
  #resendLater(stream: Stream, { retryAfterMs }: ChatClientError): void {
    if (this.#resendingOn === stream) return;
    this.#resendingOn = stream;
    void sleep(this.#resends.next(retryAfterMs), this.#deps.closed).then(() => {
      if (this.#resendingOn !== stream) return;
      this.#resendingOn = undefined;
      if (this.#stream === stream) for (const command of this.#commands.refusedCommands()) stream.send(command);
    });
  }
}
