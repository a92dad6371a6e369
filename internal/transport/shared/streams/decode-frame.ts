import type { BinaryReader } from '@bufbuild/protobuf/wire';
import { ConnectChatRequest } from '../../../../pkg/api/chat/v1/chat.ts';
import { ChatError } from '../../../model/errors.ts';

/** The field number of `ConnectChatRequest.commands`. */
const commandsField = 1;

/** Throws ChatError (FRAME_LIMIT) if a frame has more than `maxCommands`. Call it before decoding commands, to save that work. */
export function checkCommandCount(count: number, maxCommands: number): void {
  if (count > maxCommands) throw new ChatError('FRAME_LIMIT', `a frame may have at most ${maxCommands} commands`);
}

/**
 * Decodes a frame of commands. Throws ChatError (FRAME_LIMIT), before it decodes any command, if there are too many; throws the decoder's errors.
 */
export function decodeFrame(reader: BinaryReader, maxCommands: number): ConnectChatRequest {
  const start = reader.pos;
  for (let count = 0; reader.pos < reader.len; ) {
    const [field, wireType] = reader.tag();
    if (field === commandsField) checkCommandCount(++count, maxCommands);
    reader.skip(wireType, field);
  }
  reader.pos = start;
  return ConnectChatRequest.decode(reader);
}
