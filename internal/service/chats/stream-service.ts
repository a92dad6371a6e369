import type { Logger } from 'pino';
import type { Bus } from '../../client/bus/bus.ts';
import { ChatError } from '../../model/errors.ts';
import type { Feature } from '../../model/feature.ts';
import type { Principal } from '../../model/principal.ts';
import type { StreamOutcome, StreamReceipt } from '../../model/stream-write.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import type { StreamRepository } from '../../repository/stream-repository.ts';
import { readerFor, tokenServes } from '../authorization.ts';
import type { StreamWriter } from '../writing/stream-writer.ts';

export interface StreamServiceOptions {
  /** What may be used: older nodes may not know it. */
  features: ReadonlySet<Feature>;
  /** How long a message grows after its sender was last heard, in milliseconds. */
  timeoutMs: number;
}

interface Deps {
  streams: Pick<StreamRepository, 'findIdle'>;
  writer: StreamWriter;
  messages: Pick<MessageRepository, 'get'>;
  bus: Bus;
  log: Logger;
}

interface Target {
  chatId: string;
  messageId: string;
}

/**
 * Streamed messages. Each method throws the errors of the RPC of the same name in the contract. The roles in the caller's token are checked before; the
 * caller's role in the chat and the message are checked under the chat's lock.
 */
export class StreamService {
  readonly #deps: Deps;
  readonly #options: StreamServiceOptions;

  constructor(deps: Deps, options: StreamServiceOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async startMessage(
    caller: Principal,
    draft: { chatId: string; clientMessageId: string; text: string },
  ): Promise<StreamReceipt> {
    // What has begun may go on and end without the feature.
    if (!this.#options.features.has('streamed_messages')) {
      throw new ChatError('FEATURE_DISABLED', 'this service does not accept streamed messages yet');
    }
    return this.#deps.writer.start({ ...draft, ...actorOf('StartMessage', caller) });
  }

  /** The parts of a message must be given in the order of their numbers; they need not wait for each other. */
  appendMessage(caller: Principal, part: Target & { part: number; text: string }): Promise<StreamReceipt> {
    return this.#deps.writer.append({ ...part, ...actorOf('AppendMessage', caller) });
  }

  finishMessage(caller: Principal, end: Target & { outcome: StreamOutcome }): Promise<StreamReceipt> {
    return this.#deps.writer.finish({ ...end, ...actorOf('FinishMessage', caller) });
  }

  async stopMessage(caller: Principal, { chatId, messageId }: Target): Promise<void> {
    const { messages, bus } = this.#deps;
    const { streaming, sender } = await messages.get(chatId, messageId, readerFor('StopMessage', caller));
    if (streaming !== 'STREAMING') throw new ChatError('NOT_STREAMING', 'the message is not growing (any more)');
    const user = { id: caller.userId, name: caller.name };
    const event = { kind: 'stop_requested', chatId, messageId, user } as const;
    bus.publishToChat(chatId, { kind: 'ephemeral', event, onlyTo: sender.id });
  }

  /**
   * Cancels up to `limit` messages whose senders have not been heard for too long. Returns how many it tried. Several nodes may do it at a time: the first
   * one ends a message, and to the others it has ended.
   */
  async cancelIdle(limit: number): Promise<number> {
    const { streams, writer, log } = this.#deps;
    const ifIdleMs = this.#options.timeoutMs;
    const idle = await streams.findIdle(ifIdleMs, limit);
    await Promise.all(
      idle.map(({ sender, ...target }) =>
        writer
          .finish({ ...target, outcome: 'cancelled', ifIdleMs, actor: sender, asService: true })
          .catch((err: unknown) => {
            const ended = err instanceof ChatError && (err.code === 'FAILED_PRECONDITION' || err.code === 'NOT_FOUND');
            if (!ended) log.warn({ err, ...target }, 'could not cancel a streamed message; trying again later');
          }),
      ),
    );
    return idle.length;
  }
}

function actorOf(operation: 'StartMessage' | 'AppendMessage' | 'FinishMessage', caller: Principal) {
  return { actor: { id: caller.userId, name: caller.name }, asService: tokenServes(operation, caller) };
}
