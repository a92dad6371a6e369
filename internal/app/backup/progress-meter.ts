const intervalMs = 5_000;

/** Counts bytes, and tells every five seconds how many they are. */
export class ProgressMeter implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  /** `totalBytes`: how many there will be, if that is known. */
  constructor(what: string, onProgress: (line: string) => void, totalBytes?: number) {
    const total = totalBytes === undefined ? '' : ` of ${toMegabytes(totalBytes)}`;
    this.#timer = setInterval(() => onProgress(`${what}: ${toMegabytes(this.#bytes)}${total} MB`), intervalMs);
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function toMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
