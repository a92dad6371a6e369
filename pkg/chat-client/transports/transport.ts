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

/** The unary calls of ChatService. They throw ChatClientError. */
export type ChatCalls = UnaryCalls<ChatServiceClient>;
/** The unary calls of AuthService. They throw ChatClientError. */
export type AuthCalls = UnaryCalls<AuthServiceClient>;

/** One open ConnectChat stream. */
export interface Stream {
  /** Queues a command. Commands of one turn of the event loop share a frame. Does nothing once the stream has ended. */
  send(command: Command): void;
  /** The frames of events until the stream ends. Throws ChatClientError if the stream ends with an error. Iterate it only once. */
  frames: AsyncIterable<readonly Event[]>;
}

/** A connection to the service, used by one client. */
export interface Transport {
  readonly chat: ChatCalls;
  readonly auth: AuthCalls;
  /** Opens a ConnectChat stream with this access token. The stream ends when the signal aborts. Does not throw: `frames` does. */
  connect(token: string, signal: AbortSignal): Stream;
  /** Ends all streams and releases the connection. */
  close(): void;
}
