/** What a transport makes of frames, for example WebSocket frames of JSON. One object serves all frames. */
export interface FrameForm<Form> {
  /** The bytes are an encoded ConnectChatResponse. */
  make(bytes: Uint8Array): Form;
}

/**
 * An encoded ConnectChatResponse: one or more events for a reader. Readers with the same news share one object, which carries what
 * transports have made of it, so that each form is made at most once and is freed with the frame.
 */
export class Frame {
  /** Shared: never change them. */
  readonly bytes: Uint8Array;
  #made: Made | undefined;
  #joined: { frames: readonly Frame[]; whole: Frame } | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The frame in a transport's form, made when it is first asked for. */
  as<Form>(form: FrameForm<Form>): Form {
    // A list, as a frame has one or two forms and most frames none.
    for (let made = this.#made; made; made = made.next) if (made.form === form) return made.value as Form;
    const value = form.make(this.bytes);
    this.#made = { form, value, next: this.#made };
    return value;
  }

  /**
   * One frame of all the events of several, at least one. Joining the same frames again gives the same frame: the first of them remembers
   * what it was joined to last.
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
