import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { MessageJson } from '../../pkg/transcoder/message-json.ts';
import type { Entry } from '../model/entry.ts';
import { toWireMessage } from './message.ts';
import { toWireReactionChange } from './reaction.ts';

/** The parts of an exported event that are encoded. */
type Exported =
  | Exclude<Entry, { kind: 'covered' | 'message_part' }>
  | { readonly kind: 'covered' | 'reset' | 'chat_deleted' };

interface Encoded {
  contentType: string;
  body: Uint8Array;
}

/** An encoding of events for other services. */
export interface ExportedEventFormat {
  /** Returns undefined for an event that has nothing but its kind and its number. */
  encode(event: Exported): Encoded | undefined;
}

/** Binary protobuf: chat.v1.Message, or chat.v1.ReactionChanged for a reaction. */
export const protobufEvents: ExportedEventFormat = {
  encode(event) {
    const content = toProtobuf(event);
    return content && { contentType: `application/x-protobuf; messageType="${content.type}"`, body: content.body };
  },
};

/** The same as canonical proto3 JSON, as in REST answers. `json` has the encoder of each message type. */
export function jsonEvents(json: Readonly<Record<ContentType, MessageJson>>): ExportedEventFormat {
  return {
    encode(event) {
      const content = toProtobuf(event);
      if (!content) return undefined;
      const body = Buffer.from(JSON.stringify(json[content.type].write(content.body)));
      return { contentType: 'application/json', body };
    },
  };
}

export const contentTypes = ['chat.v1.Message', 'chat.v1.ReactionChanged'] as const;

type ContentType = (typeof contentTypes)[number];

function toProtobuf(event: Exported): { type: ContentType; body: Uint8Array } | undefined {
  switch (event.kind) {
    case 'message':
    case 'message_changed':
      return { type: 'chat.v1.Message', body: wire.Message.encode(toWireMessage(event.message)).finish() };
    case 'reaction': {
      const body = wire.ReactionChanged.encode(toWireReactionChange(event.reaction)).finish();
      return { type: 'chat.v1.ReactionChanged', body };
    }
    case 'covered':
    case 'reset':
    case 'chat_deleted':
      return undefined;
    default:
      return event satisfies never;
  }
}
