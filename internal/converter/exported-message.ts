import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { MessageJson } from '../../pkg/transcoder/message-json.ts';
import type { Message } from '../model/message.ts';
import { toWireMessage } from './message.ts';

/** How other services are given a chat.v1.Message. */
export interface ExportedMessageFormat {
  contentType: string;
  encode(message: Message): Uint8Array;
}

export const protobufMessage: ExportedMessageFormat = {
  contentType: 'application/x-protobuf; messageType="chat.v1.Message"',
  encode: (message) => wire.Message.encode(toWireMessage(message)).finish(),
};

/** Canonical proto3 JSON, as the REST gateway writes it. `messageJson` is of chat.v1.Message. */
export function jsonMessage(messageJson: MessageJson): ExportedMessageFormat {
  return {
    contentType: 'application/json',
    encode: (message) => Buffer.from(JSON.stringify(messageJson.write(protobufMessage.encode(message)))),
  };
}
