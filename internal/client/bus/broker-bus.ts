import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { decodePublication, type Publication } from '../../converter/publication.ts';
import { RareWarning } from '../logging/rare-warning.ts';
import type { Bus, BusState, ChatPublication, Unsubscribe } from './bus.ts';
import { BusSender } from './bus-sender.ts';
import { BusSubscriptions, type BusSubscriptionsOptions } from './bus-subscriptions.ts';
import type { OpenLink } from './link.ts';
import { ReconnectingLink, type ReconnectingLinkOptions } from './reconnecting-link.ts';
import type { SendQueueOptions } from './send-queue.ts';
import { chatTopic, userTopic } from './topic-names.ts';

export interface BrokerBusOptions extends ReconnectingLinkOptions, SendQueueOptions, BusSubscriptionsOptions {}

interface Deps {
  open: OpenLink;
  log: Logger;
}

const defaults: BrokerBusOptions = {
  pingIntervalMs: 3_000,
  pingTimeoutMs: 3_000,
  openTimeoutMs: 5_000,
  maxRetryMs: 2_000,
  maxBytes: 33_554_432,
  maxInFlight: 8,
  maxBatchBytes: 1_048_576,
  lingerMs: 5_000,
  subscribeTimeoutMs: 1_000,
};

/** How long `close` waits for unsent publications, in milliseconds. */
const closeTimeoutMs = 1_000;

/**
 * The bus of several nodes. Calls subscribers on the publishing node before `publish…` returns, even while the broker is unreachable. Publications
 * reach the other nodes through the broker.
 */
export class BrokerBus implements Bus {
  readonly #log: Logger;
  readonly #origin = randomBytes(12);
  readonly #reconnecting: ReconnectingLink;
  readonly #sender: BusSender;
  readonly #subscriptions: BusSubscriptions;
  readonly #lossListeners: (() => void)[] = [];
  readonly #stateListeners: ((state: BusState) => void)[] = [];
  readonly #damaged: RareWarning;
  #closed: Promise<void> | undefined;

  private constructor({ open, log }: Deps, options: BrokerBusOptions) {
    this.#log = log;
    this.#damaged = new RareWarning(log, 'a publication from the bus could not be decoded');
    const refused = new RareWarning(log, 'the broker refused a command of the bus');
    const events = {
      onMessage: (topic: string, bytes: Uint8Array) => this.#receive(topic, bytes),
      onRefusal: (error: unknown) => refused.add(error),
    };
    this.#subscriptions = new BusSubscriptions(
      { connection: () => this.#reconnecting, onLate: () => this.#tellLoss() },
      options,
    );
    this.#reconnecting = new ReconnectingLink(
      {
        open: () => open(events),
        prepare: (link) => this.#subscriptions.restore(link),
        onStateChange: (state, reason) => this.#changeState(state, reason),
      },
      options,
    );
    this.#sender = new BusSender({ connection: this.#reconnecting, origin: this.#origin, log, refused }, options);
  }

  /** Starts a bus. Resolves when the first attempt to connect has succeeded or failed. */
  static async start(deps: Deps, options: Partial<BrokerBusOptions> = {}): Promise<BrokerBus> {
    const bus = new BrokerBus(deps, { ...defaults, ...options });
    await bus.#reconnecting.start();
    return bus;
  }

  get state(): BusState {
    return this.#reconnecting.state;
  }

  publishToChat(chatId: string, publication: ChatPublication): void {
    this.#publish(chatTopic(chatId), publication);
  }

  publishMembershipChange(userIds: readonly string[]): void {
    for (const userId of userIds) this.#publish(userTopic(userId), { kind: 'membership_changed' });
  }

  subscribeToChat(chatId: string, handler: (publication: ChatPublication) => void): Promise<Unsubscribe> {
    return this.#subscriptions.add(chatTopic(chatId), (publication) => {
      if (publication.kind !== 'membership_changed') handler(publication);
    });
  }

  subscribeToMemberships(userId: string, handler: () => void): Promise<Unsubscribe> {
    return this.#subscriptions.add(userTopic(userId), () => handler());
  }

  onLoss(listener: () => void): void {
    this.#lossListeners.push(listener);
  }

  onStateChange(listener: (state: BusState) => void): void {
    this.#stateListeners.push(listener);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { link, state } = this.#reconnecting;
    if (state === 'connected') {
      const timeout = sleep(closeTimeoutMs, undefined, { ref: false });
      await Promise.race([this.#sender.sent(), link?.broken, timeout]);
    }
    await this.#reconnecting.close();
    this.#subscriptions.close();
  }

  #publish(topic: string, publication: Publication): void {
    this.#subscriptions.call(topic, publication);
    if (!this.#closed) this.#sender.publish(topic, publication);
  }

  #receive(topic: string, bytes: Uint8Array): void {
    try {
      const publication = decodePublication(this.#origin, bytes);
      if (publication) this.#subscriptions.call(topic, publication);
    } catch (error) {
      this.#damaged.add(error);
    }
  }

  #changeState(state: BusState, reason: unknown): void {
    if (state === 'away') {
      this.#log.warn({ err: reason }, 'the bus is unreachable: other nodes read new messages from the database');
    } else {
      this.#log.info('the bus is connected');
      this.#sender.tellMissed();
      this.#tellLoss();
    }
    for (const listener of this.#stateListeners) listener(state);
  }

  #tellLoss(): void {
    for (const listener of this.#lossListeners) listener();
  }
}
