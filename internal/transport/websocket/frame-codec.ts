import { BinaryReader } from '@bufbuild/protobuf/wire';
import { Command } from '../../../pkg/api/chat/v1/chat.ts';
import { BadInput } from '../../../pkg/transcoder/bad-input.ts';
import { type MessageJson, parseJson } from '../../../pkg/transcoder/message-json.ts';
import { ChatError, invalidFieldsError } from '../../model/errors.ts';
import type { FrameForm } from '../../model/frame.ts';
import { MalformedRequest } from '../shared/calls/decoding.ts';
import type { ReadCommand } from '../shared/streams/command-reader.ts';
import { checkCommandCount, decodeFrame } from '../shared/streams/decode-frame.ts';

/** What one sub-protocol makes of frames. Serves all of its sockets. */
export interface FrameCodec {
  /** Whether its frames are binary ones; others are text. */
  readonly binary: boolean;
  /** Throws ChatError (MALFORMED_FRAME, FRAME_LIMIT). */
  decode(data: Buffer): readonly ReadCommand[];
  /** The payload that an encoded ConnectChatResponse becomes. */
  encode(bytes: Uint8Array): Buffer;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export interface CodecOptions {
  /** A frame with more commands is refused before any of them is read. */
  maxCommands: number;
}

export function protobufCodec({ maxCommands }: CodecOptions): FrameCodec {
  return {
    binary: true,
    decode(data) {
      try {
        return decodeFrame(new BinaryReader(data, (bytes) => utf8.decode(bytes)), maxCommands).commands;
      } catch (cause) {
        throw new MalformedRequest(cause).error;
      }
    },
    encode: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  };
}

/** Text frames of canonical proto3 JSON. A command at fault is refused by itself, if the frame is a list of commands at all. */
export function jsonCodec(
  { command: commandJson, response: responseJson }: { command: MessageJson; response: MessageJson },
  { maxCommands }: CodecOptions,
): FrameCodec {
  const readCommand = (value: unknown, numbers: Parameters<MessageJson['read']>[1]): ReadCommand => {
    try {
      return Command.decode(commandJson.read(value, numbers));
    } catch (cause) {
      // Numbers beyond 2^53 are known to be at fault only once they are decoded.
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

/** So that the refusal can name what it is of. */
function commandIdOf(value: unknown): string {
  const { commandId, command_id } = (value ?? {}) as Record<string, unknown>;
  const id = commandId ?? command_id;
  return typeof id === 'string' ? id : '';
}

/** The forms of frames that a codec's sockets are sent. */
export class WebSocketForms {
  /** What ws makes a WebSocket frame of. */
  readonly payload: FrameForm<Buffer>;
  /** A whole WebSocket frame, ready to be written to a connection without extensions. */
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

/** Of a whole, unmasked frame, as servers send them. Source: RFC 6455, section 5.2 */
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
