import type { Env } from '../reading/environment.ts';

type Listener<Config> = (config: Config) => void;

/** The settings in force. Some of them may change while the program runs (`reloadable`); parts that have those follow them here. */
export class LiveConfig<Config extends object> {
  readonly #listeners = new Set<Listener<Config>>();
  #current: Config;
  #env: Env;

  /** `env` is what the configuration was read from. */
  constructor(config: Config, env: Env = {}) {
    this.#current = config;
    this.#env = env;
  }

  /** What the settings in force were read from. It has secrets. */
  get env(): Env {
    return this.#env;
  }

  get current(): Config {
    return this.#current;
  }

  /** Returns an object that always has the newest values of `select`. It is for parts that read their options each time they need them. */
  follow<Options extends object>(select: (config: Config) => Options): Readonly<Options> {
    const options = { ...select(this.#current) };
    this.onReload((config) => Object.assign(options, select(config)));
    return options;
  }

  /**
   * Calls `listener` whenever the settings have been read again, also if none has changed. The listener must not throw. Returns a function that removes
   * it.
   */
  onReload(listener: Listener<Config>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Puts the settings in force and tells the listeners, in the order in which they were added. */
  reload(config: Config, env: Env = this.#env): void {
    this.#current = config;
    this.#env = env;
    for (const listener of this.#listeners) listener(config);
  }
}
