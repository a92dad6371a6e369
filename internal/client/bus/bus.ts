import type { ChatPublication } from '../../model/publication.ts';

export type { ChatPublication } from '../../model/publication.ts';

export type Unsubscribe = () => Promise<void>;

/** Whether the broker is reachable; `away`: it is not. While it is unreachable, other nodes find new messages by comparing with the database. */
export type BusState = 'connected' | 'away';

/**
 * A port: carries publications to the nodes with readers of the chat or sessions of the user. Delivers each at most once, in no guaranteed order, so
 * subscribers must detect losses and read from the database instead.
 */
export interface Bus {
  /** Publishes to the chat's subscribers. Never throws and never waits for the broker; drops a publication that cannot be sent. */
  publishToChat(chatId: string, publication: ChatPublication): void;

  /** Makes the sessions of these users read their memberships again. Same guarantees as `publishToChat`. */
  publishMembershipChange(userIds: readonly string[]): void;

  /**
   * Subscribes to a chat. Resolves when the subscription is in effect, or, if the broker is slow or unreachable, once it will take effect on its own.
   * Returns an idempotent function that unsubscribes.
   */
  subscribeToChat(chatId: string, handler: (publication: ChatPublication) => void): Promise<Unsubscribe>;

  /** Subscribes to changes of a user's memberships. Same guarantees as `subscribeToChat`. */
  subscribeToMemberships(userId: string, handler: () => void): Promise<Unsubscribe>;

  /** Calls the listener whenever publications may have been lost, for example after a reconnection. */
  onLoss(listener: () => void): void;

  readonly state: BusState;

  /** Calls the listener with the new state whenever that changes. */
  onStateChange(listener: (state: BusState) => void): void;

  /** Sends the remaining publications, for one second at most, and disconnects. Idempotent. */
  close(): Promise<void>;
}
