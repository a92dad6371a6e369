import type { JsonValue } from '@bufbuild/protobuf';
import type { MessageJson } from '../../../pkg/transcoder/message-json.ts';
import type { FrameForm } from '../../model/frame.ts';

export interface SseFrame {
  /** Events in the form of the HTML standard, section 9.2 (server-sent events). */
  text: string;
  /** Whether this is the stream's last frame: the chat was removed from the subscription. */
  last: boolean;
  /** The epoch of the numbers after this frame. */
  epoch: string;
}

/** How many epochs have a form at a time. Streams that share an epoch share their text. */
const maxForms = 8;

/** The forms of frames, one for each epoch: the ids of events contain it. */
export class SseForms {
  readonly #responseJson: MessageJson;
  readonly #forms = new Map<string, SseForm>();

  /** `responseJson` must be for chat.v1.ConnectChatResponse. */
  constructor(responseJson: MessageJson) {
    this.#responseJson = responseJson;
  }

  /** The form of a frame whose first numbers belong to this epoch; empty: not known yet. */
  of(epoch: string): SseForm {
    const form = this.#forms.get(epoch) ?? new SseForm(this.#responseJson, epoch);
    this.#forms.set(epoch, form);
    const [oldest = ''] = this.#forms.keys();
    if (this.#forms.size > maxForms) this.#forms.delete(oldest);
    return form;
  }
}

/**
 * Turns frames into server-sent events. An event's type is its name in the contract (`caught_up`), its data is the JSON of its value, and its id, if it
 * has one, is what to resume after: `<number>@<epoch>`.
 */
export class SseForm implements FrameForm<SseFrame> {
  readonly #responseJson: MessageJson;
  readonly #epoch: string;

  constructor(responseJson: MessageJson, epoch: string) {
    this.#responseJson = responseJson;
    this.#epoch = epoch;
  }

  make(bytes: Uint8Array): SseFrame {
    const { events } = this.#responseJson.write(bytes) as { events: Record<string, Value>[] };
    let [text, last, epoch] = ['', false, this.#epoch];
    for (const [name, value] of events.flatMap((event) => Object.entries(event))) {
      if (name === 'subscribed' || name === 'reset') epoch = String(value.epoch);
      last ||= name === 'chatRemoved';
      text += toText(name, value, epoch);
    }
    return { text, last, epoch };
  }
}

type Value = { [name: string]: JsonValue };

function toText(name: string, value: Value, epoch: string): string {
  const seq = seqOf[name]?.(value);
  const retryMs = name === 'closing' ? Number(value.retryAfterMs) : 0;
  return [
    `event: ${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}\n`,
    seq === undefined ? '' : `id: ${seq}@${epoch}\n`,
    retryMs > 0 ? `retry: ${Math.max(retryMs, minRetryMs)}\n` : '',
    // JSON.stringify writes no line breaks, so the data is one line.
    `data: ${JSON.stringify(value)}\n\n`,
  ].join('');
}

const minRetryMs = 1_000;

/** By event, the number after which a client resumes once it has seen the event. */
const seqOf: Record<string, (value: Value) => JsonValue | undefined> = {
  subscribed: ({ afterSeq }) => afterSeq,
  message: ({ seq }) => seq,
  messageChanged: ({ message }) => (message as Value | undefined)?.updateSeq,
  messagePart: ({ seq }) => seq,
  covered: ({ toSeq }) => toSeq,
  reaction: ({ seq }) => seq,
  caughtUp: ({ seq }) => seq,
  reset: ({ fromSeq }) => fromSeq,
};
