import { ServerError } from 'nice-grpc-common';
import type { Call, Interceptor } from '../../interceptor/call.ts';
import { principalOf } from '../../interceptor/call.ts';
import type { EventEncoder } from '../../service/event-encoder.ts';
import type { SessionRegistry } from '../../service/session-registry.ts';
import { CallFailure } from '../gateway/unary-caller.ts';
import type { CommandReader } from './command-reader.ts';
import type { LiveStreams, StreamRequest } from './live-streams.ts';
import { mapFrames } from './map-frames.ts';

interface Deps {
  sessions: SessionRegistry;
  interceptor: Interceptor;
  reader: CommandReader;
  encoder: EventEncoder;
}

/** Streams of this process: through the same interceptors and sessions as those that come by gRPC. */
export class LocalStreams implements LiveStreams {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async run({ header, peer, commands, write, onStuck, signal }: StreamRequest): Promise<void> {
    const { sessions, interceptor, encoder } = this.#deps;
    let details: Uint8Array | undefined;
    const call: Call = {
      kind: 'stream',
      path: '/chat.v1.ChatService/ConnectChat',
      method: 'ConnectChat',
      peer,
      signal,
      traceId: '',
      header,
      setResponseHeader: () => {},
      setTrailer: (name, value) => {
        if (name === 'grpc-status-details-bin') details = value;
      },
    };
    try {
      await interceptor(call, () =>
        sessions.run(
          { principal: principalOf(call), encoder, onStuck },
          mapFrames(commands, (frame) => this.#deps.reader.read(frame)),
          write,
          call.signal,
        ),
      );
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      throw new CallFailure(error.code, error.details, { details });
    }
  }
}
