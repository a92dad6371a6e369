/** Bytes on their way to whoever subscribed to the topic. Topics consist of letters, digits and `_-=.`. */
export interface BusMessage {
  topic: string;
  bytes: Uint8Array;
}

/** One connection to a broker, until it breaks. It is not mended: another takes its place. */
export interface Link {
  /** What is longer is not taken. */
  readonly maxBytes: number;

  /** Resolves when the broker has taken all of it. */
  send(messages: readonly BusMessage[]): Promise<void>;

  /** Resolves when what is sent to these topics arrives. Calls take effect in their order. */
  subscribe(topics: readonly string[]): Promise<void>;

  unsubscribe(topics: readonly string[]): Promise<void>;

  /** Resolves when the broker answers. */
  ping(): Promise<void>;

  /** Resolves with the reason when the connection has broken. */
  readonly broken: Promise<unknown>;

  /** Drops the connection at once, whatever was under way. Twice is harmless. */
  destroy(): void;
}

export interface LinkEvents {
  /** Must not throw. May be called with topics that nobody subscribed to, and with what this node has sent. */
  onParcel(topic: string, bytes: Uint8Array): void;
  /** The broker refused something, as for want of a permission. The connection goes on. */
  onRefusal(error: unknown): void;
}

/** Connects. Throws an error with the reason if the broker cannot be reached. */
export type OpenLink = (events: LinkEvents) => Promise<Link>;
