/** Bytes for the subscribers of a topic. Topics consist of letters, digits and `_-=.`. */
export interface BusMessage {
  topic: string;
  bytes: Uint8Array;
}

/** A port: one connection to a broker. It does not reconnect; ReconnectingLink opens another link when it breaks. */
export interface Link {
  /** The longest topic and message together, in bytes. */
  readonly maxBytes: number;

  /** Resolves when the broker has taken all messages. Rejects if the broker refuses them. */
  send(messages: readonly BusMessage[]): Promise<void>;

  /** Resolves when the subscriptions are in effect. Calls of `subscribe` and `unsubscribe` take effect in their order. */
  subscribe(topics: readonly string[]): Promise<void>;

  unsubscribe(topics: readonly string[]): Promise<void>;

  /** Resolves when the broker answers. */
  ping(): Promise<void>;

  /** Resolves with the reason when the connection has broken. */
  readonly broken: Promise<unknown>;

  /** Closes the connection at once, without waiting for anything. Idempotent. */
  destroy(): void;
}

export interface LinkEvents {
  /** Receives a message. Must not throw. May also be called for topics without a subscription, and for messages that this node sent. */
  onMessage(topic: string, bytes: Uint8Array): void;
  /** The broker refused a command, for example for lack of a permission. The connection stays open. */
  onRefusal(error: unknown): void;
}

/** Connects to a broker. Throws an Error with the reason if it is unreachable. */
export type OpenLink = (events: LinkEvents) => Promise<Link>;
