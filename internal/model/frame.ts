/** A conversion of frames for one transport, for example to WebSocket frames of JSON. One FrameForm object converts all frames. */
export interface FrameForm<Form> {
  /** Converts an encoded ConnectChatResponse. */
  make(bytes: Uint8Array): Form;
}

/**
 * An encoded ConnectChatResponse: one or more events. All readers of the same events share one Frame. It remembers its forms, so that each is made at
 * most once and is freed with the frame.
 */
export class Frame {
  /** Shared: never change them. */
  readonly bytes: Uint8Array;
  #made: Made | undefined;
  #joined: { frames: readonly Frame[]; whole: Frame } | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Returns the frame in a transport's form, and makes it on the first call. */
  as<Form>(form: FrameForm<Form>): Form {
    // A linked list, because most frames have no form and the others one or two.
    for (let made = this.#made; made; made = made.next) if (made.form === form) return made.value as Form;
    const value = form.make(this.bytes);
    this.#made = { form, value, next: this.#made };
    return value;
  }

  /**
   * Returns one frame with the events of all frames, of which there must be at least one. Joining the same frames again returns the same frame: the
   * first remembers its last join.
   */
  static join(frames: readonly Frame[]): Frame {
    const first = frames[0]!;
    if (frames.length === 1) return first;
    if (!first.#joined || !areSame(first.#joined.frames, frames)) {
      first.#joined = { frames, whole: new Frame(Buffer.concat(frames.map(({ bytes }) => bytes))) };
    }
    return first.#joined.whole;
  }
}

interface Made {
  form: FrameForm<unknown>;
  value: unknown;
  next: Made | undefined;
}

function areSame(some: readonly Frame[], others: readonly Frame[]): boolean {
  return some.length === others.length && some.every((frame, i) => frame === others[i]);
}
