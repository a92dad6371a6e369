import { type Command, ConnectChatRequest, type Limits } from '../../api/chat/v1/chat.ts';
import { ChatClientError } from '../errors/chat-error.ts';
import { charsOf } from '../transports/chars-of.ts';

/** Maximum number of bytes of one character in a JSON frame (`\u0007`). A JSON frame is never shorter than one of protobuf. */
const maxBytesPerChar = 6;
/** Upper bound of the bytes of a frame with one command, without the command's strings. */
const frameBytes = 256;

/**
 * Returns INVALID_ARGUMENT (INVALID_FIELDS) for a command that is larger than the service accepts; undefined if it fits. A command that does
 * not fit into a frame must not be sent: it would end the stream, and every later stream on which it is repeated.
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

/** Returns the field `text` of the command; empty if it has none. */
function textOf({ command }: Command): string {
  const text = command && 'text' in command.value ? command.value.text : undefined;
  return text ?? '';
}

function invalidText(description: string): ChatClientError {
  const violations = [{ field: 'text', description }];
  return new ChatClientError(`text ${description}`, { code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELDS', violations });
}
