import type { EpochRepository } from '../../repository/epoch-repository.ts';
import { type Counter, type Metrics, noMetrics } from '../metrics/metrics.ts';
import type { Bus, BusState, ChatPublication, Unsubscribe } from './bus.ts';

/** Adds the present epoch to publications of entries that do not name theirs, and counts publications. */
export class EpochBus implements Bus {
  readonly #bus: Bus;
  readonly #epochs: Pick<EpochRepository, 'current'>;
  readonly #publications: Counter<never>;

  constructor(bus: Bus, epochs: Pick<EpochRepository, 'current'>, metrics: Metrics = noMetrics) {
    this.#bus = bus;
    this.#epochs = epochs;
    this.#publications = metrics.counter({
      name: 'chat_bus_publications_total',
      help: 'What was published for the nodes with readers of a chat: messages, changes, heads, ephemeral events.',
    });
    const losses = metrics.counter({
      name: 'chat_bus_losses_total',
      help: 'How often publications of other nodes may have been lost, mostly after a connection to the broker broke.',
    });
    bus.onLoss(() => losses.add(1));
    metrics.gauge(
      { name: 'chat_bus_connected', help: '1 while the broker of the bus can be reached, else 0.', ofWorkers: 'min' },
      () => (bus.state === 'connected' ? 1 : 0),
    );
  }

  publishToChat(chatId: string, publication: ChatPublication): void {
    this.#publications.add(1);
    const isStamped = publication.kind !== 'entries' || publication.epoch !== undefined;
    this.#bus.publishToChat(chatId, isStamped ? publication : { ...publication, epoch: this.#epochs.current });
  }

  publishMembershipChange(userIds: readonly string[]): void {
    this.#bus.publishMembershipChange(userIds);
  }

  subscribeToChat(chatId: string, handler: (publication: ChatPublication) => void): Promise<Unsubscribe> {
    return this.#bus.subscribeToChat(chatId, handler);
  }

  subscribeToMemberships(userId: string, handler: () => void): Promise<Unsubscribe> {
    return this.#bus.subscribeToMemberships(userId, handler);
  }

  onLoss(listener: () => void): void {
    this.#bus.onLoss(listener);
  }

  get state(): BusState {
    return this.#bus.state;
  }

  onStateChange(listener: (state: BusState) => void): void {
    this.#bus.onStateChange(listener);
  }

  close(): Promise<void> {
    return this.#bus.close();
  }
}
