/** What is wrong with the configuration, one line for each fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/** Reads typed values from environment variables, and collects what is wrong instead of stopping at the first fault. */
export class EnvReader {
  /** Every variable that has been asked for. */
  readonly names = new Set<string>();
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #faults: string[] = [];

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** Undefined if the variable is not set or empty. */
  optional(name: string): string | undefined {
    this.names.add(name);
    return this.#env[name]?.trim() || undefined;
  }

  string(name: string, fallback: string): string {
    return this.optional(name) ?? fallback;
  }

  integer(name: string, fallback: number, { min, max }: { min: number; max: number }): number {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
    this.#faults.push(`${name} must be a whole number from ${min} to ${max}, not "${text}"`);
    return fallback;
  }

  number(name: string, fallback: number, { min, max }: { min: number; max: number }): number {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (/^-?\d+(\.\d+)?$/.test(text) && value >= min && value <= max) return value;
    this.#faults.push(`${name} must be a number from ${min} to ${max}, not "${text}"`);
    return fallback;
  }

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

  /** Separated by commas. Set but empty: none. */
  list(name: string, fallback: string[], item: RegExp | ((text: string) => boolean), what: string): string[] {
    const isGood = item instanceof RegExp ? (text: string) => item.test(text) : item;
    this.names.add(name);
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

  /** The value is not repeated in a fault: it may hold a password. */
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

  require(condition: boolean, fault: string): void {
    if (!condition) this.#faults.push(fault);
  }

  /** Throws ConfigError if anything was wrong. */
  throwIfFaulty(): void {
    if (this.#faults.length > 0) throw new ConfigError(this.#faults);
  }
}

/** A percent-encoded part of a URL as it was meant; undefined if it is not well encoded. */
export function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
