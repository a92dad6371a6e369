import type { ChatPublication } from '../../model/publication.ts';

export type { ChatPublication } from '../../model/publication.ts';

export type Unsubscribe = () => Promise<void>;

/** Whether the broker can be reached. While it is away other nodes learn of what is new by comparing with the database. */
export type BusState = 'connected' | 'away';

/**
 * Carries what was committed to the nodes that have readers for it. At most once, in no promised order: whoever subscribes
 * must be able to notice a loss and to do without.
 */
export interface Bus {
  /** Never throws and never waits for a broker: a publication that cannot be sent is dropped. */
  publishToChat(chatId: string, publication: ChatPublication): void;

  /** Tells the sessions of these users to look at their memberships. As `publishToChat`. */
  publishMembershipChange(userIds: readonly string[]): void;

  /** Resolves once publications arrive, or will as soon as the broker is back. */
  subscribeToChat(chatId: string, handler: (publication: ChatPublication) => void): Promise<Unsubscribe>;

  subscribeToMemberships(userId: string, handler: () => void): Promise<Unsubscribe>;

  /** Calls the listener whenever publications may have been lost, as after a reconnection. */
  onLoss(listener: () => void): void;

  readonly state: BusState;

  /** Calls the listener with the new state whenever that changes. */
  onStateChange(listener: (state: BusState) => void): void;

  /** Sends what was published, if it can soon, and leaves the broker. Twice is harmless. */
  close(): Promise<void>;
}
