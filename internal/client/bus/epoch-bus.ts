import type { EpochRepository } from '../../repository/epoch-repository.ts';
import type { Bus, BusState, ChatPublication, Unsubscribe } from './bus.ts';

/** Adds the present epoch to publications of messages that do not name theirs. */
export class EpochBus implements Bus {
  readonly #bus: Bus;
  readonly #epochs: Pick<EpochRepository, 'current'>;

  constructor(bus: Bus, epochs: Pick<EpochRepository, 'current'>) {
    this.#bus = bus;
    this.#epochs = epochs;
  }

  publishToChat(chatId: string, publication: ChatPublication): void {
    const isStamped = publication.kind !== 'messages' || publication.epoch !== undefined;
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
