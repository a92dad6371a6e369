/** The faults of the configuration, one line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/**
 * Reads typed values from environment variables. A value that is faulty is noted, its default is returned in its place, and reading goes on;
 * `throwIfFaulty` reports all faults together.
 */
export class EnvReader {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #faults: string[] = [];

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** Undefined if the variable is not set, empty, or blank. */
  optional(name: string): string | undefined {
    return this.#env[name]?.trim() || undefined;
  }

  string(name: string, fallback: string): string {
    return this.optional(name) ?? fallback;
  }

  /** Only decimal digits count, with a minus in front. */
  integer(name: string, fallback: number, { min, max }: { min: number; max: number }): number {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
    this.#faults.push(`${name} must be a whole number from ${min} to ${max}, not "${text}"`);
    return fallback;
  }

  /** With a point for decimals, and without an exponent. */
  number(name: string, fallback: number, { min, max }: { min: number; max: number }): number {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (/^-?\d+(\.\d+)?$/.test(text) && value >= min && value <= max) return value;
    this.#faults.push(`${name} must be a number from ${min} to ${max}, not "${text}"`);
    return fallback;
  }

  /** `true` and `1`, `false` and `0`, in upper or lower case. */
  boolean(name: string, fallback: boolean): boolean {
    const text = this.optional(name)?.toLowerCase();
    if (text === undefined) return fallback;
    if (text === 'true' || text === '1') return true;
    if (text === 'false' || text === '0') return false;
    this.#faults.push(`${name} must be true or false, not "${text}"`);
    return fallback;
  }

  oneOf<T extends string>(name: string, values: readonly T[], fallback: T): T {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const value = values.find((known) => known === text);
    if (value) return value;
    this.#faults.push(`${name} must be one of ${values.join(', ')}, not "${text}"`);
    return fallback;
  }

  /** Items separated by commas; a variable that is set but empty means none. `what` names good items, as in "must be room names". */
  list(name: string, fallback: string[], item: RegExp | ((text: string) => boolean), what: string): string[] {
    const isGood = item instanceof RegExp ? (text: string) => item.test(text) : item;
    const text = this.#env[name];
    if (text === undefined) return fallback;
    const values = text
      .split(',')
      .map((value) => value.trim())
      .filter((value) => value !== '');
    const bad = values.filter((value) => !isGood(value));
    if (bad.length > 0) this.#faults.push(`${name} must be ${what}; not: ${bad.join(', ')}`);
    return values;
  }

  /** A URL with one of the protocols, as in `https:`. A fault does not repeat the value: it may hold a password. */
  url(name: string, protocols: readonly string[]): string | undefined {
    const text = this.optional(name);
    if (text === undefined) return undefined;
    const url = URL.parse(text);
    if (!url || !protocols.includes(url.protocol)) {
      const begins = protocols.map((protocol) => `${protocol}//`).join(' or ');
      this.#faults.push(`${name} must be a URL that begins with ${begins}`);
    } else if (decoded(url.username) === undefined || decoded(url.password) === undefined) {
      this.#faults.push(`${name} must have special characters of its user and password escaped, as in p%40ss for p@ss`);
    }
    return text;
  }

  /** Notes the fault unless the condition holds. */
  require(condition: boolean, fault: string): void {
    if (!condition) this.#faults.push(fault);
  }

  /** Throws ConfigError if there was any fault. */
  throwIfFaulty(): void {
    if (this.#faults.length > 0) throw new ConfigError(this.#faults);
  }
}

/** A part of a URL without its percent-encoding; undefined if the encoding is faulty. */
export function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
