import { ConnectChatRequest, ConnectChatResponse } from '../../../pkg/api/chat/v1/chat.ts';
import { toStatus } from '../../converter/status.ts';
import { ChatError } from '../../model/errors.ts';
import { framesOf } from '../../service/inbox.ts';
import type { GrpcCaller } from '../gateway/grpc-caller.ts';
import { toMetadata } from '../gateway/metadata.ts';
import { failureOf } from '../gateway/rest-handler.ts';
import type { LiveStreams, StreamRequest } from './live-streams.ts';

const rpc = '/chat.v1.ChatService/ConnectChat';

/** Streams of services elsewhere: frames of events are handed on as they come. */
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
    /** Welcome is the first event. */
    let welcomed = false;
    const refusals: Uint8Array[] = [];
    const tell = () => {
      if (welcomed) for (const refusal of refusals.splice(0)) void write(refusal);
    };
    const send = async () => {
      for await (const frame of framesOf(commands)) {
        const sound = frame.flatMap((command) => ('error' in command ? [] : [command]));
        for (const command of frame) if ('error' in command) refusals.push(encodeRefusal(command));
        tell();
        if (sound.length > 0) await stream.send(ConnectChatRequest.encode({ commands: sound }).finish());
      }
      stream.halfClose();
    };
    send().catch((error: unknown) => {
      if (error instanceof ChatError) malformed = error;
      ended.abort();
    });
    try {
      for await (const frame of stream.frames) {
        await write(frame);
        welcomed = true;
        tell();
      }
    } catch (error) {
      if (!malformed && !signal.aborted) throw error;
    } finally {
      ended.abort();
    }
    if (malformed) throw failureOf(malformed);
  }
}

const forwarded = ['authorization', 'traceparent', 'tracestate', 'uber-trace-id', 'user-agent', 'x-request-id'];

function encodeRefusal({ commandId, error }: { commandId: string; error: ChatError }): Uint8Array {
  const value = { commandId, status: toStatus(error) };
  return ConnectChatResponse.encode({ events: [{ event: { $case: 'rejected', value } }] }).finish();
}
