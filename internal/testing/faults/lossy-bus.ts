import type { Bus, BusState, ChatPublication, Unsubscribe } from '../../client/bus/bus.ts';
import { testRandom } from '../random.ts';

/** The fate of one publication on its way to one subscriber; `late`: others overtake it. */
export type Fate = 'arrive' | 'lose' | 'double' | 'late';

/** A real bus that loses, doubles and delays publications, for each subscriber separately. */
export class LossyBus implements Bus {
  readonly #inner: Bus;
  readonly #fates: { chat: () => Fate; membership: () => Fate };
  readonly #random = testRandom();
  readonly #late = new Set<NodeJS.Timeout>();
  readonly #lossListeners: (() => void)[] = [];

  constructor(inner: Bus, fates: { chat?: () => Fate; membership?: () => Fate }) {
    this.#inner = inner;
    this.#fates = { chat: () => 'arrive', membership: () => 'arrive', ...fates };
  }

  publishToChat(chatId: string, publication: ChatPublication): void {
    this.#inner.publishToChat(chatId, publication);
  }

  publishMembershipChange(userIds: readonly string[]): void {
    this.#inner.publishMembershipChange(userIds);
  }

  subscribeToChat(chatId: string, handler: (publication: ChatPublication) => void): Promise<Unsubscribe> {
    return this.#inner.subscribeToChat(chatId, (publication) =>
      this.#carry(this.#fates.chat(), () => handler(publication)),
    );
  }

  subscribeToMemberships(userId: string, handler: () => void): Promise<Unsubscribe> {
    return this.#inner.subscribeToMemberships(userId, () => this.#carry(this.#fates.membership(), handler));
  }

  onLoss(listener: () => void): void {
    this.#lossListeners.push(listener);
    this.#inner.onLoss(listener);
  }

  get state(): BusState {
    return this.#inner.state;
  }

  onStateChange(listener: (state: BusState) => void): void {
    this.#inner.onStateChange(listener);
  }

  /** Calls the `onLoss` listeners, as after a reconnection. */
  reportLoss(): void {
    for (const listener of this.#lossListeners) listener();
  }

  async close(): Promise<void> {
    for (const timer of this.#late) clearTimeout(timer);
  }

  #carry(fate: Fate, deliver: () => void): void {
    if (fate === 'lose') return;
    if (fate === 'late') {
      const timer = setTimeout(() => {
        this.#late.delete(timer);
        deliver();
      }, this.#random.next() * 20);
      this.#late.add(timer);
      return;
    }
    deliver();
    if (fate === 'double') deliver();
  }
}
