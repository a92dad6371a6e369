import { ConnectChatRequest, ConnectChatResponse } from '../../../../pkg/api/chat/v1/chat.ts';
import { toStatus } from '../../../converter/status.ts';
import { ChatError } from '../../../model/errors.ts';
import { Frame } from '../../../model/frame.ts';
import { framesOf } from '../../../service/sessions/inbox.ts';
import { toCallFailure } from '../calls/call-failure.ts';
import type { GrpcCaller } from '../calls/grpc-caller.ts';
import { toMetadata } from '../calls/metadata.ts';
import type { LiveStreams, StreamRequest } from './live-streams.ts';

const rpc = '/chat.v1.ChatService/ConnectChat';

/** Opens streams to services in other processes, over gRPC. Passes on frames of events without decoding them. */
export class GrpcStreams implements LiveStreams {
  readonly #caller: GrpcCaller;

  constructor(caller: GrpcCaller) {
    this.#caller = caller;
  }

  async run({ header, peer, commands, write, signal }: StreamRequest): Promise<void> {
    const headers = Object.fromEntries(forwarded.map((name) => [name, header(name)]));
    const ended = new AbortController();
    if (signal.aborted) ended.abort();
    else signal.addEventListener('abort', () => ended.abort(), { once: true });
    const stream = this.#caller.openStream(rpc, {
      metadata: toMetadata(headers, header('x-request-id') ?? ''),
      peer,
      signal: ended.signal,
    });
    let malformed: ChatError | undefined;
    /** Resolves with true after the first frame, with false if the stream ends without one. */
    const welcomed = Promise.withResolvers<boolean>();
    const send = async () => {
      for await (const frame of framesOf(commands)) {
        const sound = frame.flatMap((command) => ('error' in command ? [] : [command]));
        const faulty = frame.flatMap((command) => ('error' in command ? [command] : []));
        if (sound.length > 0) await stream.send(ConnectChatRequest.encode({ commands: sound }).finish());
        if (faulty.length === 0) continue;
        // `welcome` must be the first event. Waiting for `write` stops reading from a client that does not read its refusals.
        if (!(await welcomed.promise)) return;
        await write(toRefusals(faulty));
      }
      stream.halfClose();
    };
    send().catch((error: unknown) => {
      if (error instanceof ChatError) malformed = error;
      ended.abort();
    });
    try {
      for await (const frame of stream.frames) {
        await write(new Frame(frame));
        welcomed.resolve(true);
      }
    } catch (error) {
      if (!malformed && !signal.aborted) throw error;
    } finally {
      welcomed.resolve(false);
      ended.abort();
    }
    if (malformed) throw toCallFailure(malformed);
  }
}

const forwarded = ['authorization', 'traceparent', 'tracestate', 'uber-trace-id', 'user-agent', 'x-request-id'];

function toRefusals(faulty: readonly { commandId: string; error: ChatError }[]): Frame {
  const events = faulty.map(({ commandId, error }) => {
    const value = { commandId, status: toStatus(error) };
    return { event: { $case: 'rejected' as const, value } };
  });
  return new Frame(ConnectChatResponse.encode({ events }).finish());
}
