import type { Event } from '../api/chat/v1/chat.ts';
import { ChatClientError } from './chat-error.ts';
import { closeError } from './close-error.ts';
import { CommandQueue } from './command-queue.ts';
import type { FrameCodec } from './frame-codec.ts';
import { Mailbox } from './mailbox.ts';
import type { Stream } from './transport.ts';

/** What is used of a WebSocket: that of browsers and of Node, and most packages'. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

export interface WebSocketStreamOptions {
  url: string;
  codec: FrameCodec;
  webSocket: WebSocketConstructor;
  token: string;
  signal: AbortSignal;
}

/** Commands wait while more than this is on its way, in bytes. */
const maxBufferedBytes = 1_024 * 1_024;

/** A WebSocket does not tell when there is room again, so it is asked so often, in milliseconds. */
const roomPollMs = 20;

/** What may stand in Sec-WebSocket-Protocol: RFC 9110's `token`. */
const protocolItem = /^[\w!#$%&'*+.^`|~-]+$/;

/** One ConnectChat stream over a WebSocket of its own. */
export function openWebSocketStream({ url, codec, webSocket, token, signal }: WebSocketStreamOptions): Stream {
  const ended = new AbortController();
  const queue = new CommandQueue(ended.signal);
  const frames = new Mailbox<readonly Event[]>();
  const end = (error?: ChatClientError) => {
    signal.removeEventListener('abort', abort);
    ended.abort();
    frames.end(error);
  };
  const abort = () => {
    end(new ChatClientError('the stream was cancelled', { code: 'CANCELLED' }));
    socket?.close(1000);
  };
  const fail = (error: unknown) => {
    end(new ChatClientError((error as Error).message, { code: 'INTERNAL', cause: error }));
    socket?.close(1000);
  };
  let socket: WebSocketLike | undefined;
  if (signal.aborted) {
    abort();
    return { send: () => {}, frames };
  }
  signal.addEventListener('abort', abort, { once: true });
  const inHeader = protocolItem.test(token);
  // What cannot stand in the header is said first.
  if (!inHeader) queue.push({ commandId: '', command: { $case: 'authenticate', value: { token } } });
  try {
    socket = new webSocket(url, [codec.protocol, ...(inHeader ? [`chat.v1.bearer.${token}`] : [])]);
  } catch (error) {
    fail(error);
    return { send: () => {}, frames };
  }
  const opened = socket;
  opened.binaryType = 'arraybuffer';
  opened.addEventListener('open', () => void sendAll(opened, queue, codec, ended.signal).catch(fail));
  opened.addEventListener('message', ({ data }) => {
    if (ended.signal.aborted) return;
    try {
      const events = codec.decode(data);
      for (const { event } of events) if (event?.$case === 'welcome') queue.obey(event.value.limits);
      frames.push(events);
    } catch (error) {
      fail(error);
    }
  });
  opened.addEventListener('error', () => {});
  opened.addEventListener('close', ({ code, reason }) => end(closeError(code, reason)));
  return { send: (command) => queue.push(command), frames };
}

async function sendAll(
  socket: WebSocketLike,
  queue: CommandQueue,
  codec: FrameCodec,
  ended: AbortSignal,
): Promise<void> {
  for await (const { commands } of queue.frames()) {
    while (socket.bufferedAmount > maxBufferedBytes && !ended.aborted) {
      await new Promise((resolve) => setTimeout(resolve, roomPollMs));
    }
    if (ended.aborted) return;
    socket.send(codec.encode(commands));
  }
}
