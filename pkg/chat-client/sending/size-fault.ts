import { type Command, ConnectChatRequest, type Limits } from '../../api/chat/v1/chat.ts';
import { ChatClientError } from '../errors/chat-error.ts';
import { charsOf } from '../transports/chars-of.ts';

/** The most bytes that one character becomes in a frame of JSON (`\u0007`), which is never shorter than one of protobuf. */
const maxBytesPerChar = 6;
/** More than what surrounds the strings of a command in a frame, in bytes. */
const frameBytes = 256;

/**
 * The error for a command that the service would refuse because of its size: INVALID_ARGUMENT (INVALID_FIELDS); undefined if it may go. A
 * command that does not fit into a frame would end the stream, and then the next one on which it is sent again.
 */
export function sizeFault(command: Command, limits: Limits | undefined): ChatClientError | undefined {
  if (!limits) return undefined;
  const { maxTextLength, maxFrameBytes } = limits;
  const text = textOf(command);
  if (maxTextLength > 0 && text.length > maxTextLength && [...text].length > maxTextLength) {
    return invalidText(`must have at most ${maxTextLength} characters`);
  }
  if (maxFrameBytes === 0 || charsOf(command) * maxBytesPerChar + frameBytes <= maxFrameBytes) return undefined;
  const frame = JSON.stringify(ConnectChatRequest.toJSON({ commands: [command] }));
  if (new TextEncoder().encode(frame).length <= maxFrameBytes) return undefined;
  return invalidText(`must fit into a frame of ${maxFrameBytes} bytes`);
}

/** The field `text` of whatever command has one. */
function textOf({ command }: Command): string {
  const text = command && 'text' in command.value ? command.value.text : undefined;
  return text ?? '';
}

function invalidText(description: string): ChatClientError {
  const violations = [{ field: 'text', description }];
  return new ChatClientError(`text ${description}`, { code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELDS', violations });
}
