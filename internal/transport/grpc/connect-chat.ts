import { BinaryReader } from '@bufbuild/protobuf/wire';
import { ChatServiceDefinition, ConnectChatRequest } from '../../../pkg/api/chat/v1/chat.ts';
import { principalOf } from '../../interceptor/call.ts';
import type { EventEncoder } from '../../model/event-encoder.ts';
import { Frame } from '../../model/frame.ts';
import { IteratedInbox } from '../../service/sessions/inbox.ts';
import type { Incoming } from '../../service/sessions/session.ts';
import type { SessionRegistry } from '../../service/sessions/session-registry.ts';
import { MalformedRequest } from '../shared/calls/decoding.ts';
import type { StreamHandler } from '../shared/operations/served-service.ts';
import type { CommandReader } from '../shared/streams/command-reader.ts';
import { decodeFrame } from '../shared/streams/decode-frame.ts';

const { connectChat } = ChatServiceDefinition.methods;

/**
 * Returns the definition of chat.v1.ChatService with two changes to ConnectChat: a request's commands are counted before they are decoded, and
 * responses are frames that are already encoded.
 */
export function chatServiceDefinition({ maxCommandsPerFrame }: { maxCommandsPerFrame: number }) {
  return {
    ...ChatServiceDefinition,
    methods: {
      ...ChatServiceDefinition.methods,
      connectChat: {
        ...connectChat,
        requestType: {
          ...ConnectChatRequest,
          decode: (input: BinaryReader | Uint8Array) =>
            decodeFrame(input instanceof BinaryReader ? input : new BinaryReader(input), maxCommandsPerFrame),
        },
        responseType: {
          encode: (frame: Frame) => ({ finish: () => frame.bytes }),
          decode: (bytes: Uint8Array) => new Frame(bytes),
          fromPartial: (frame: Frame) => frame,
        },
      },
    },
  } as const;
}

interface Deps {
  sessions: SessionRegistry;
  reader: CommandReader;
  encoder: EventEncoder;
}

/** Creates the handler of ConnectChat: it runs one session per stream. */
export function createConnectChat({
  sessions,
  reader,
  encoder,
}: Deps): StreamHandler<ConnectChatRequest | MalformedRequest> {
  const read = (frame: ConnectChatRequest | MalformedRequest): Incoming[] => {
    if (frame instanceof MalformedRequest) throw frame.error;
    return reader.read(frame.commands);
  };
  return ({ call, requests, write, gone }) => {
    // Aborting ends the handler. The gRPC call itself stays open until the client reads again or its connection is lost.
    const onStuck = () => gone.abort();
    const opened = {
      principal: principalOf(call),
      encoder,
      transport: 'grpc' as const,
      traceId: call.traceId,
      onStuck,
    };
    return sessions.run(opened, new IteratedInbox(requests, read), write, gone);
  };
}
