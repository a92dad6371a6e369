import { type Command, ConnectChatRequest, ConnectChatResponse, type Event } from '../../api/chat/v1/chat.ts';
import { statusFromJson } from '../errors/status-json.ts';

/** The encoding of frames on a WebSocket. */
export interface FrameCodec {
  /** The WebSocket sub-protocol that selects this encoding. */
  readonly protocol: string;
  encode(commands: Command[]): string | Uint8Array<ArrayBuffer>;
  /** Throws if the data is not a frame of events. */
  decode(data: unknown): readonly Event[];
}

/** Binary frames of protobuf. */
export const protoCodec: FrameCodec = {
  protocol: 'chat.v1.proto',
  encode: (commands) => ConnectChatRequest.encode({ commands }).finish() as Uint8Array<ArrayBuffer>,
  decode: (data) => ConnectChatResponse.decode(new Uint8Array(data as ArrayBuffer)).events,
};

/** Text frames of canonical proto3 JSON. */
export const jsonCodec: FrameCodec = {
  protocol: 'chat.v1.json',
  encode: (commands) => JSON.stringify(ConnectChatRequest.toJSON({ commands })),
  decode(data) {
    const json = JSON.parse(data as string) as JsonFrame;
    const { events } = ConnectChatResponse.fromJSON(json);
    for (const [index, { event }] of events.entries()) {
      if (event?.$case === 'rejected') event.value.status = statusFromJson(json.events?.[index]?.rejected?.status);
    }
    return events;
  },
};

interface JsonFrame {
  events?: { rejected?: { status?: unknown } }[];
}
