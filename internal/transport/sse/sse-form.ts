import type { JsonValue } from '@bufbuild/protobuf';
import type { MessageJson } from '../../../pkg/transcoder/message-json.ts';
import type { FrameForm } from '../../model/frame.ts';

export interface SseFrame {
  /** Events in the form of the HTML standard, section 9.2 (server-sent events). */
  text: string;
  /** Whether this is the stream's last frame: the chat was removed from the subscription. */
  last: boolean;
}

/**
 * Turns frames into server-sent events. An event's type is its name in the contract (`caught_up`), its data is the JSON of its value, and its
 * id, if it has one, is the number to resume after.
 */
export class SseForm implements FrameForm<SseFrame> {
  readonly #responseJson: MessageJson;

  constructor(responseJson: MessageJson) {
    this.#responseJson = responseJson;
  }

  make(bytes: Uint8Array): SseFrame {
    const { events } = this.#responseJson.write(bytes) as { events: Record<string, Value>[] };
    const pairs = events.flatMap((event) => Object.entries(event));
    return { text: pairs.map(toText).join(''), last: pairs.some(([name]) => name === 'chatRemoved') };
  }
}

type Value = { [name: string]: JsonValue };

function toText([name, value]: [string, Value]): string {
  const id = idOf[name]?.(value);
  const retryMs = name === 'closing' ? Number(value.retryAfterMs) : 0;
  return [
    `event: ${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}\n`,
    id === undefined ? '' : `id: ${id}\n`,
    retryMs > 0 ? `retry: ${Math.max(retryMs, minRetryMs)}\n` : '',
    // JSON.stringify writes no line breaks, so the data is one line.
    `data: ${JSON.stringify(value)}\n\n`,
  ].join('');
}

/** The shortest `retry`, in milliseconds. An EventSource uses the last `retry` for all later reconnections, so a tiny one would flood the service. */
const minRetryMs = 1_000;

/** By event, the number after which a client resumes once it has seen the event. */
const idOf: Record<string, (value: Value) => JsonValue | undefined> = {
  subscribed: ({ afterSeq }) => afterSeq,
  message: ({ seq }) => seq,
  messageChanged: ({ message }) => (message as Value | undefined)?.updateSeq,
  covered: ({ toSeq }) => toSeq,
  caughtUp: ({ seq }) => seq,
};
