import { Command } from '../../../pkg/api/chat/v1/chat.ts';
import { BadInput } from '../../../pkg/transcoder/bad-input.ts';
import { type MessageJson, parseJson } from '../../../pkg/transcoder/message-json.ts';
import { ChatError, invalidFieldsError } from '../../model/errors.ts';
import type { FrameForm } from '../../model/frame.ts';
import { MalformedRequest } from '../shared/calls/decoding.ts';
import { RequestReader } from '../shared/calls/request-reader.ts';
import type { ReadCommand } from '../shared/streams/command-reader.ts';
import { checkCommandCount, decodeFrame } from '../shared/streams/decode-frame.ts';

/** Encodes and decodes the frames of one sub-protocol. Stateless: all sockets of the sub-protocol share it. */
export interface FrameCodec {
  /** Whether frames are binary messages; else they are text messages. */
  readonly binary: boolean;
  /** Decodes a frame of commands. Throws ChatError (MALFORMED_FRAME, FRAME_LIMIT). */
  decode(data: Buffer): readonly ReadCommand[];
  /** Turns an encoded ConnectChatResponse into the payload of a message. */
  encode(bytes: Uint8Array): Buffer;
}

export interface CodecOptions {
  /** The most commands in a frame. A frame with more is refused before any command is decoded. */
  maxCommands: number;
}

/** Creates the codec of `chat.v1.proto`: binary messages of encoded ConnectChatRequest and ConnectChatResponse. */
export function protobufCodec({ maxCommands }: CodecOptions): FrameCodec {
  return {
    binary: true,
    decode(data) {
      try {
        return decodeFrame(new RequestReader(data), maxCommands).commands;
      } catch (cause) {
        throw new MalformedRequest(cause).error;
      }
    },
    encode: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  };
}

/**
 * Creates the codec of `chat.v1.json`: text messages of canonical proto3 JSON. A command that is not valid JSON for its type becomes an
 * error in its place; the frame's other commands are decoded.
 */
export function jsonCodec(
  { command: commandJson, response: responseJson }: { command: MessageJson; response: MessageJson },
  { maxCommands }: CodecOptions,
): FrameCodec {
  const readCommand = (value: unknown, numbers: Parameters<MessageJson['read']>[1]): ReadCommand => {
    try {
      return Command.decode(new RequestReader(commandJson.read(value, numbers)));
    } catch (cause) {
      const error =
        cause instanceof BadInput ? invalidFieldsError(...cause.violations) : new MalformedRequest(cause).error;
      return { commandId: commandIdOf(value), error };
    }
  };
  return {
    binary: false,
    decode(data) {
      try {
        const { value, numbers } = parseJson(data.toString());
        const commands = commandsOf(value);
        checkCommandCount(commands.length, maxCommands);
        return commands.map((command) => readCommand(command, numbers));
      } catch (error) {
        if (!(error instanceof BadInput)) throw error;
        throw new ChatError('MALFORMED_FRAME', error.message.replace(/^body/, 'a frame'), { cause: error });
      }
    },
    encode: (bytes) => Buffer.from(JSON.stringify(responseJson.write(bytes))),
  };
}

function commandsOf(value: unknown): readonly unknown[] {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : ['?'];
  const { commands } = (value ?? {}) as { commands?: unknown };
  const isFrame = Array.isArray(commands) ? keys.length === 1 : keys.length === 0 && !Array.isArray(value);
  if (!isFrame) throw new ChatError('MALFORMED_FRAME', 'a frame must be {"commands": [...]} and nothing else');
  return (commands as unknown[] | undefined) ?? [];
}

/** Returns the command id of a command that cannot be decoded, so that `rejected` can name it; '' if it has none. */
function commandIdOf(value: unknown): string {
  const { commandId, command_id } = (value ?? {}) as Record<string, unknown>;
  const id = commandId ?? command_id;
  return typeof id === 'string' ? id : '';
}

/** The two forms in which a codec's sockets send a frame. */
export class WebSocketForms {
  /** The payload, for ws to compress and frame. */
  readonly payload: FrameForm<Buffer>;
  /** A complete WebSocket frame, to be written directly to a connection without extensions. */
  readonly whole: FrameForm<Buffer>;

  constructor(codec: FrameCodec) {
    this.payload = { make: (bytes) => codec.encode(bytes) };
    this.whole = {
      make(bytes) {
        const payload = codec.encode(bytes);
        return Buffer.concat([headerOf(payload.length, codec.binary ? 2 : 1), payload]);
      },
    };
  }
}

/** Makes the header of a final, unmasked frame, as servers send them. Source: RFC 6455, section 5.2 */
function headerOf(length: number, opcode: 1 | 2): Buffer {
  const fin = 0x80;
  if (length < 126) return Buffer.from([fin | opcode, length]);
  if (length < 65_536) return Buffer.from([fin | opcode, 126, length >> 8, length & 0xff]);
  const header = Buffer.alloc(10);
  header[0] = fin | opcode;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}
