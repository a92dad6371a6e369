/** After a change of the network, the service must send something within this many milliseconds. */
const probeMs = 2_500;

/** Pings a stream that has become silent, and gives it up if no answer arrives. */
export class Watchdog {
  readonly #ask: () => void;
  readonly #giveUp: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #probe: ReturnType<typeof setTimeout> | undefined;
  #heard = true;
  #asked = false;

  /** Calls `ask` on a silent stream, and `giveUp` after a silence of between one and one and a half times `silenceMs` milliseconds. */
  constructor(silenceMs: number, { ask, giveUp }: { ask: () => void; giveUp: () => void }) {
    this.#ask = ask;
    this.#giveUp = giveUp;
    this.#timer = setInterval(() => this.#look(), silenceMs / 2);
  }

  /** Call it for each frame that arrives. */
  heard(): void {
    this.#heard = true;
    clearTimeout(this.#probe);
    this.#probe = undefined;
  }

  /** Pings the service at once, and gives the stream up if nothing arrives within `probeMs`. */
  probe(): void {
    if (this.#probe !== undefined) return;
    this.#ask();
    this.#probe = setTimeout(this.#giveUp, probeMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#probe);
  }

  #look(): void {
    if (!this.#heard && this.#asked) return this.#giveUp();
    this.#asked = !this.#heard;
    if (this.#asked) this.#ask();
    this.#heard = false;
  }
}
