import type { Message } from '../../model/message.ts';
import type { Signal } from '../../model/signal.ts';

/** What is said of a chat. */
export type ChatPublication =
  /** These were committed; in order, but a subscriber may miss some or get them late. */
  | { kind: 'messages'; messages: readonly Message[] }
  /** The chat has come at least this far; what is missing can be read from the repository. */
  | { kind: 'head'; seq: number }
  /** The chat was deleted. */
  | { kind: 'deleted' }
  /** Passing news; `onlyTo`: for this user's readers only. */
  | { kind: 'signal'; signal: Signal; onlyTo?: string };

export type Unsubscribe = () => Promise<void>;

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

  close(): Promise<void>;
}
