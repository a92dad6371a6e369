import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { MessageJson } from '../../pkg/transcoder/message-json.ts';
import type { Message } from '../model/message.ts';
import { toWireMessage } from './message.ts';

/** An encoding of chat.v1.Message for other services. */
export interface ExportedMessageFormat {
  contentType: string;
  encode(message: Message): Uint8Array;
}

/** The message as binary protobuf. */
export const protobufMessage: ExportedMessageFormat = {
  contentType: 'application/x-protobuf; messageType="chat.v1.Message"',
  encode: (message) => wire.Message.encode(toWireMessage(message)).finish(),
};

/** The message as canonical proto3 JSON, as in REST answers. `messageJson` must be for chat.v1.Message. */
export function jsonMessage(messageJson: MessageJson): ExportedMessageFormat {
  return {
    contentType: 'application/json',
    encode: (message) => Buffer.from(JSON.stringify(messageJson.write(protobufMessage.encode(message)))),
  };
}
