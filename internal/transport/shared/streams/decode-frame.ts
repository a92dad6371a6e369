import type { BinaryReader } from '@bufbuild/protobuf/wire';
import { ConnectChatRequest } from '../../../../pkg/api/chat/v1/chat.ts';
import { ChatError } from '../../../model/errors.ts';

/** What the contract's number of `ConnectChatRequest.commands` is. */
const commandsField = 1;

/** Throws ChatError (FRAME_LIMIT) if a frame has so many commands, which is to be asked before any of them is read. */
export function checkCommandCount(count: number, maxCommands: number): void {
  if (count > maxCommands) throw new ChatError('FRAME_LIMIT', `a frame may have at most ${maxCommands} commands`);
}

/**
 * Decodes a frame of commands. Throws ChatError (FRAME_LIMIT) before it has decoded anything of one that has too many, and whatever the
 * decoder throws.
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
