import type { LightAbortSignal } from '../../../model/light-abort.ts';
import type { FrameWriter } from '../../../service/sessions/frame-sender.ts';
import type { Inbox } from '../../../service/sessions/inbox.ts';
import type { ReadCommand } from './command-reader.ts';

/** One stream that a client of an HTTP-based transport opens. */
export interface StreamRequest {
  /** A header of the request, by its lower-case name. */
  header(name: string): string | undefined;
  /** The client's address and port. */
  peer: string;
  /** Frames of commands. Throws ChatError (MALFORMED_FRAME) if the client sends something else. */
  commands: Inbox<readonly ReadCommand[]>;
  /** Takes frames of events. Readers with the same news are given the same frame. */
  write: FrameWriter;
  /** Called when the stream was ended but the client does not take the last frames. */
  onStuck(): void;
  /** Aborts when the client has gone. */
  signal: LightAbortSignal;
}

/** A way to the contract's stream, for transports other than gRPC. */
export interface LiveStreams {
  /** Resolves when the stream ends well. Throws CallFailure. */
  run(request: StreamRequest): Promise<void>;
}
