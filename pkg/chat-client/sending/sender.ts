import type { Accepted, Command, Limits } from '../../api/chat/v1/chat.ts';
import { Backoff } from '../../backoff/backoff.ts';
import { sleep } from '../../backoff/sleep.ts';
import { ChatClientError } from '../errors/chat-error.ts';
import type { AllEvents } from '../events/chat-client-events.ts';
import type { Emitter } from '../events/emitter.ts';
import type { PendingChange } from '../messages/pending-change.ts';
import type { PendingMessage } from '../messages/pending-message.ts';
import type { Receipt } from '../messages/receipt.ts';
import { retryPauses } from '../timing/retry-pauses.ts';
import type { Stream } from '../transports/transport.ts';
import { contentOf, type DurableCommand, idOf, isChange, toCommand } from './durable-command.ts';
import type { Outbox } from './outbox.ts';
import { type Pending, PendingCommands } from './pending-commands.ts';
import { sizeFault } from './size-fault.ts';

interface Deps {
  emitter: Emitter<AllEvents>;
  closed: AbortSignal;
  outbox: Outbox | undefined;
}

/** Sends durable commands, which are messages and changes, and repeats them on each new stream until the service accepts or permanently refuses them. */
export class Sender {
  readonly #deps: Deps;
  readonly #maxPending: number;
  readonly #commands = new PendingCommands();
  readonly #resends = new Backoff(retryPauses);
  #stream: Stream | undefined;
  /** The limits of the last `welcome`. */
  #limits: Limits | undefined;
  /** The stream on which a repetition of refused commands is scheduled. */
  #resendingOn: Stream | undefined;
  #restored = false;

  constructor(deps: Deps, { maxPending }: { maxPending: number }) {
    this.#deps = deps;
    this.#maxPending = maxPending;
  }

  /** The unanswered messages and changes. */
  get pending(): (PendingMessage | PendingChange)[] {
    return this.#commands.all.map(contentOf);
  }

  /** The number of unanswered commands. */
  get size(): number {
    return this.#commands.size;
  }

  /** Adds what is in the outbox, once, before other commands; and later what another client has left there. */
  restore(): void {
    const { outbox, closed, emitter } = this.#deps;
    if (this.#restored || !outbox) return;
    this.#restored = true;
    for (const content of outbox.load()) this.#addUnasked(content);
    const stop = outbox.onLeft?.(() => {
      const own = new Set(this.pending.map(idOf));
      for (const content of outbox.load().filter((one) => !own.has(idOf(one)))) {
        this.#addUnasked(content);
        emitter.emit('takenOver', content);
      }
    });
    if (stop) closed.addEventListener('abort', stop, { once: true });
  }

  /**
   * Sends a message or change. Resolves once the service has carried it out. Throws ChatClientError: the service's permanent refusal, RESOURCE_EXHAUSTED
   * if too many commands are unanswered or the outbox is full, and the error of `fail`.
   */
  async perform(content: PendingMessage | PendingChange): Promise<Receipt> {
    this.restore();
    if (this.#commands.size >= this.#maxPending) {
      throw new ChatClientError('too many messages are waiting for an answer', { code: 'RESOURCE_EXHAUSTED' });
    }
    try {
      this.#deps.outbox?.put(content);
    } catch (cause) {
      throw new ChatClientError('the outbox has no room for the message', { code: 'RESOURCE_EXHAUSTED', cause });
    }
    return this.#add(toCommand(content));
  }

  /** Uses a new stream: sends the unanswered commands and then new ones. Commands that exceed `limits` are rejected without being sent. */
  begin(stream: Stream, limits: Limits | undefined): void {
    this.#stream = stream;
    this.#limits = limits;
    for (const command of this.#commands.commands()) this.#transmit(command);
  }

  /** The stream has ended: commands wait for the next one. */
  end(): void {
    this.#stream = undefined;
  }

  /** Rejects all unanswered commands. What they carry remains in the outbox. */
  fail(error: ChatClientError): void {
    this.#commands.fail(error);
  }

  accepted({ commandId, messageId, seq, createdAt = new Date() }: Accepted): void {
    this.#resends.reset();
    const pending = this.#take(commandId);
    if (!pending) return;
    const { outbox, emitter } = this.#deps;
    const content = contentOf(pending.command);
    const receipt = { messageId, seq, createdAt };
    outbox?.remove(content);
    pending.resolve(receipt);
    if (isChange(content)) emitter.emit('changeSent', { ...content, ...receipt });
    else emitter.emit('sent', { ...content, ...receipt });
  }

  refused(stream: Stream, commandId: string, error: ChatClientError): void {
    const pending = this.#commands.get(commandId);
    if (!pending) return;
    if (mayWorkLater(error)) {
      pending.refused = true;
      return this.#resendLater(stream, error);
    }
    this.#giveUp(commandId, error);
  }

  #add(body: DurableCommand): Promise<Receipt> {
    const { command, receipt } = this.#commands.add(body);
    if (!this.#commands.mustWait(command)) this.#transmit(command);
    return receipt;
  }

  /** Nobody waits for the promise: a refusal is told by the event. */
  #addUnasked(content: PendingMessage | PendingChange): void {
    this.#add(toCommand(content)).catch(() => {});
  }

  /** Removes an answered command. If a change of the same message waited for the answer, sends that. */
  #take(commandId: string): Pending | undefined {
    const taken = this.#commands.take(commandId);
    if (taken?.next) this.#transmit(taken.next);
    return taken?.pending;
  }

  /** Sends the command; without a stream, `begin` sends it on the next one. */
  #transmit(command: Command): void {
    const fault = sizeFault(command, this.#limits);
    if (fault) this.#giveUp(command.commandId, fault);
    else this.#stream?.send(command);
  }

  /** Handles a permanent refusal. */
  #giveUp(commandId: string, error: ChatClientError): void {
    const pending = this.#take(commandId);
    if (!pending) return;
    const { outbox, emitter } = this.#deps;
    const content = contentOf(pending.command);
    outbox?.remove(content);
    pending.reject(error);
    if (isChange(content)) emitter.emit('changeRefused', { ...content, error });
    else emitter.emit('refused', { ...content, error });
  }

  /** Schedules one repetition of all commands that are refused until then, in the order in which they were first sent. */
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

/** Also a fault of the service, which may be mended: it must not cost a text. A repetition is recognised by its id. */
function mayWorkLater(error: ChatClientError): boolean {
  return error.temporary || error.code === 'INTERNAL' || error.code === 'UNKNOWN';
}
