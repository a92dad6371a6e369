import type { JsonValue } from '@bufbuild/protobuf';
import type { MessageJson } from '../../../pkg/transcoder/message-json.ts';
import type { FrameForm } from '../../model/frame.ts';

export interface SseFrame {
  /** Events in the form of the HTML standard, section 9.2 (server-sent events). */
  text: string;
  /** Whether nothing of the chat can follow. */
  last: boolean;
}

/**
 * The form of frames that a reader of server-sent events is sent. The type of an event is its name in the contract (`caught_up`), its data
 * the JSON of its value, and its id the number to resume after, if it has one.
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
  const id = value[idFields[name] ?? ''];
  const retryMs = name === 'closing' ? Number(value.retryAfterMs) : 0;
  return [
    `event: ${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}\n`,
    id === undefined ? '' : `id: ${id}\n`,
    retryMs > 0 ? `retry: ${Math.max(retryMs, minRetryMs)}\n` : '',
    // JSON has no line breaks.
    `data: ${JSON.stringify(value)}\n\n`,
  ].join('');
}

/** A browser keeps to the time from then on, also while nobody listens. */
const minRetryMs = 1_000;

/** Where the number stands that a client resumes after once it has seen the event. */
const idFields: Record<string, string> = { subscribed: 'afterSeq', message: 'updateSeq', caughtUp: 'seq' };
