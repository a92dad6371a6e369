import type { LightAbortSignal } from '../../../model/light-abort.ts';
import type { FrameWriter } from '../../../service/sessions/frame-sender.ts';
import type { Inbox } from '../../../service/sessions/inbox.ts';
import type { ReadCommand } from './command-reader.ts';

/** A stream that a client opens over WebSocket or server-sent events. */
export interface StreamRequest {
  transport: 'websocket' | 'sse';
  /** Returns a header of the request, by its lower-case name. */
  header(name: string): string | undefined;
  /** The client's address and port. */
  peer: string;
  /** Frames of commands. `take` throws ChatError (MALFORMED_FRAME, FRAME_LIMIT) for a frame that cannot be decoded. */
  commands: Inbox<readonly ReadCommand[]>;
  /** Sends a frame of events. Streams that send the same events get the same Frame object, so its encoded forms are shared. */
  write: FrameWriter;
  /** Called when the stream has ended but the client does not read the last frames. */
  onStuck(): void;
  /** Aborts when the client disconnects. */
  signal: LightAbortSignal;
}

/** Opens the contract's stream for transports other than gRPC, in this process or in another. */
export interface LiveStreams {
  /** Runs a stream. Resolves when it ends without an error. Throws CallFailure. */
  run(request: StreamRequest): Promise<void>;
}
