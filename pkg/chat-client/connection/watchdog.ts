/** After a change of the network the service has so long to say something, in milliseconds. */
const probeMs = 2_500;

/** Watches over a stream: one that has fallen silent is asked for a word, and given up if none comes. */
export class Watchdog {
  readonly #ask: () => void;
  readonly #giveUp: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #probe: ReturnType<typeof setTimeout> | undefined;
  #heard = true;
  #asked = false;

  /** It gives up after `silenceMs` without a word, and half as long again if it began in between. */
  constructor(silenceMs: number, { ask, giveUp }: { ask: () => void; giveUp: () => void }) {
    this.#ask = ask;
    this.#giveUp = giveUp;
    this.#timer = setInterval(() => this.#look(), silenceMs / 2);
  }

  /** To be called whenever the service has said something. */
  heard(): void {
    this.#heard = true;
    clearTimeout(this.#probe);
    this.#probe = undefined;
  }

  /** Asks at once, and gives up soon. */
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
