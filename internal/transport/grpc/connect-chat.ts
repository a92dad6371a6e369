import {
  ChatServiceDefinition,
  type ChatServiceImplementation,
  type Command,
  type ConnectChatRequest,
} from '../../../pkg/api/chat/v1/chat.ts';
import type { Validate } from '../../../pkg/proto-rules/compile-rules.ts';
import { fromWireCommand } from '../../converter/command.ts';
import { ProtobufEventEncoder } from '../../converter/event.ts';
import { principalOf } from '../../interceptor/call.ts';
import { check } from '../../interceptor/validation.ts';
import { ChatError } from '../../model/errors.ts';
import type { Incoming } from '../../service/session.ts';
import type { SessionRegistry } from '../../service/session-registry.ts';
import { MalformedRequest } from './decoding.ts';
import type { CallExt } from './middleware.ts';

const { connectChat } = ChatServiceDefinition.methods;

/** The contract's service, but for ConnectChat's responses, which are frames that have been encoded already. */
export const chatServiceDefinition = {
  ...ChatServiceDefinition,
  methods: {
    ...ChatServiceDefinition.methods,
    connectChat: {
      ...connectChat,
      responseType: {
        encode: (frame: Uint8Array) => ({ finish: () => frame }),
        decode: (bytes: Uint8Array) => bytes,
        fromPartial: (frame: Uint8Array) => frame,
      },
    },
  },
} as const;

interface ConnectChat {
  connectChat(
    request: AsyncIterable<ConnectChatRequest | MalformedRequest>,
    context: Parameters<ChatServiceImplementation<CallExt>['connectChat']>[1],
  ): AsyncGenerator<Uint8Array, void, undefined>;
}

interface Deps {
  sessions: SessionRegistry;
  validateCommand: Validate;
}

/** The stream of chat.v1.ChatService over sessions. */
export function createConnectChat(
  { sessions, validateCommand }: Deps,
  { maxCommandsPerFrame }: { maxCommandsPerFrame: number },
): ConnectChat {
  const encoder = new ProtobufEventEncoder();

  const read = (command: Command): Incoming => {
    try {
      check(validateCommand, command);
      return fromWireCommand(command);
    } catch (error) {
      return { kind: 'invalid', commandId: command.commandId, error };
    }
  };

  async function* readFrames(
    frames: AsyncIterable<ConnectChatRequest | MalformedRequest>,
  ): AsyncGenerator<Incoming[], void, undefined> {
    for await (const frame of frames) {
      if (frame instanceof MalformedRequest) throw frame.error;
      const { commands } = frame;
      if (commands.length <= maxCommandsPerFrame) {
        yield commands.map(read);
        continue;
      }
      const error = new ChatError('FRAME_LIMIT', `a frame may have at most ${maxCommandsPerFrame} commands`);
      yield commands.map(({ commandId }) => ({ kind: 'invalid', commandId, error }));
    }
  }

  return {
    async *connectChat(frames, { call, signal }) {
      yield* sessions.run({ principal: principalOf(call), encoder }, readFrames(frames), signal);
    },
  };
}
