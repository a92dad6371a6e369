import { type Command, ConnectChatRequest, type Limits } from '../../api/chat/v1/chat.ts';
import { ChatClientError } from '../errors/chat-error.ts';

/** Bytes that become of a character at most in a frame of JSON (`\u0007`), which is never shorter than one of protobuf. */
const maxBytesPerChar = 6;

/** More than what stands around the strings of a command in a frame, in bytes. */
const frameBytes = 256;

/**
 * What the service would refuse a message with because of its size: INVALID_ARGUMENT (INVALID_FIELDS); undefined if it may go. A command that does not
 * fit into a frame would be answered by the end of the stream, and by that of the next one.
 */
export function sizeFault(command: Command, limits: Limits | undefined): ChatClientError | undefined {
  if (command.command?.$case !== 'sendMessage' || !limits) return undefined;
  const { chatId = '', clientMessageId = '', text = '' } = command.command.value;
  const { maxTextLength, maxFrameBytes } = limits;
  if (maxTextLength > 0 && text.length > maxTextLength && [...text].length > maxTextLength) {
    return invalidText(`must have at most ${maxTextLength} characters`);
  }
  const chars = chatId.length + clientMessageId.length + text.length;
  if (maxFrameBytes === 0 || chars * maxBytesPerChar + frameBytes <= maxFrameBytes) return undefined;
  const frame = JSON.stringify(ConnectChatRequest.toJSON({ commands: [command] }));
  if (new TextEncoder().encode(frame).length <= maxFrameBytes) return undefined;
  return invalidText(`must fit into a frame of ${maxFrameBytes} bytes`);
}

function invalidText(description: string): ChatClientError {
  const violations = [{ field: 'text', description }];
  return new ChatClientError(`text ${description}`, { code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELDS', violations });
}
