import { BinaryReader } from '@bufbuild/protobuf/wire';
import { ChatServiceDefinition, ConnectChatRequest } from '../../../pkg/api/chat/v1/chat.ts';
import { principalOf } from '../../interceptor/call.ts';
import { Frame } from '../../model/frame.ts';
import type { EventEncoder } from '../../service/delivery/event-encoder.ts';
import { IteratedInbox } from '../../service/sessions/inbox.ts';
import type { Incoming } from '../../service/sessions/session.ts';
import type { SessionRegistry } from '../../service/sessions/session-registry.ts';
import { MalformedRequest } from '../shared/calls/decoding.ts';
import type { StreamHandler } from '../shared/operations/served-service.ts';
import type { CommandReader } from '../shared/streams/command-reader.ts';
import { decodeFrame } from '../shared/streams/decode-frame.ts';

const { connectChat } = ChatServiceDefinition.methods;

/**
 * The contract's service, but for ConnectChat's requests, whose commands are counted before they are decoded, and its responses, which are frames
 * that have been encoded already.
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

/** The stream of chat.v1.ChatService: a session for each. */
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
    // The call itself ends when the client reads on, or its connection is lost.
    const opened = { principal: principalOf(call), encoder, onStuck: () => gone.abort() };
    return sessions.run(opened, new IteratedInbox(requests, read), write, gone);
  };
}
