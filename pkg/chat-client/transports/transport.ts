import type { AuthServiceClient } from '../../api/auth/v1/auth.ts';
import type { ChatServiceClient, Command, Event } from '../../api/chat/v1/chat.ts';

type UnaryCalls<Client> = {
  [Method in Exclude<keyof Client, 'connectChat'>]: Client[Method] extends (
    request: infer Request,
    ...rest: never[]
  ) => Promise<infer Response>
    ? (request: Request, options: { token?: string; signal?: AbortSignal }) => Promise<Response>
    : never;
};

/** The unary calls of the contract. They throw ChatClientError. */
export type ChatCalls = UnaryCalls<ChatServiceClient>;
export type AuthCalls = UnaryCalls<AuthServiceClient>;

/** One open ConnectChat stream. */
export interface Stream {
  /** Queues a command; those of one turn of the event loop go in one frame. Does nothing once the stream has ended. */
  send(command: Command): void;
  /** The frames, until the stream ends. Throws ChatClientError if it does not end well. To be iterated once. */
  frames: AsyncIterable<readonly Event[]>;
}

/** A way to the service. */
export interface Transport {
  readonly chat: ChatCalls;
  readonly auth: AuthCalls;
  /** Opens a stream; it ends when the signal aborts. */
  connect(token: string, signal: AbortSignal): Stream;
  close(): void;
}
