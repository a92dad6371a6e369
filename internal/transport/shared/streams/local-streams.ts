import { ServerError } from 'nice-grpc-common';
import type { Span } from 'opentracing';
import type { Call, Interceptor } from '../../../interceptor/call.ts';
import { principalOf } from '../../../interceptor/call.ts';
import type { EventEncoder } from '../../../model/event-encoder.ts';
import type { LightAbortSignal } from '../../../model/light-abort.ts';
import type { Principal } from '../../../model/principal.ts';
import type { Inbox } from '../../../service/sessions/inbox.ts';
import type { Incoming } from '../../../service/sessions/session.ts';
import type { SessionRegistry } from '../../../service/sessions/session-registry.ts';
import { CallFailure } from '../calls/call-failure.ts';
import type { CommandReader, ReadCommand } from './command-reader.ts';
import type { LiveStreams, StreamRequest } from './live-streams.ts';

interface Deps {
  sessions: SessionRegistry;
  interceptor: Interceptor;
  reader: CommandReader;
  encoder: EventEncoder;
}

/** Opens streams in this process, through the same interceptors and sessions as gRPC streams. */
export class LocalStreams implements LiveStreams {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  run(request: StreamRequest): Promise<void> {
    const call = new StreamCall(request);
    return this.#deps
      .interceptor(call, () => this.#open(call))
      .then(undefined, (error) => {
        if (!(error instanceof ServerError)) throw error;
        throw new CallFailure(error.code, error.details, { details: call.details });
      }) as Promise<void>;
  }

  #open(call: StreamCall): Promise<void> {
    const { sessions, reader, encoder } = this.#deps;
    const { transport, commands, write, onStuck } = call.open();
    const opened = { principal: principalOf(call), encoder, transport, traceId: call.traceId, onStuck };
    return sessions.run(opened, new ReadInbox(commands, reader), write, call.signal);
  }
}

class StreamCall implements Call {
  readonly kind = 'stream';
  readonly path = '/chat.v1.ChatService/ConnectChat';
  readonly method = 'ConnectChat';
  readonly peer: string;
  readonly signal: LightAbortSignal;
  traceId = '';
  span?: Span;
  principal?: Principal;
  begun?: number;
  /** The error that ended the stream, as an encoded google.rpc.Status. */
  details: Uint8Array | undefined;
  #request: StreamRequest | undefined;

  constructor(request: StreamRequest) {
    this.#request = request;
    this.peer = request.peer;
    this.signal = request.signal;
  }

  header(name: string): string | undefined {
    return this.#request?.header(name);
  }

  setResponseHeader(): void {}

  setTrailer(name: string, value: Uint8Array): void {
    if (name === 'grpc-status-details-bin') this.details = value;
  }

  /** Returns the request and drops it, so that an open stream does not hold its headers in memory. Call it once. */
  open(): StreamRequest {
    const request = this.#request!;
    this.#request = undefined;
    return request;
  }
}

/** An inbox that converts received commands to commands of sessions. */
class ReadInbox implements Inbox<readonly Incoming[]> {
  readonly #commands: Inbox<readonly ReadCommand[]>;
  readonly #reader: CommandReader;

  constructor(commands: Inbox<readonly ReadCommand[]>, reader: CommandReader) {
    this.#commands = commands;
    this.#reader = reader;
  }

  get ended(): boolean {
    return this.#commands.ended;
  }

  take(): readonly Incoming[] | undefined {
    const frame = this.#commands.take();
    return frame && this.#reader.read(frame);
  }

  onReady(reader: () => void): void {
    this.#commands.onReady(reader);
  }
}
