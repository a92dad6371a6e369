import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../reading/env-reader.ts';
import { type Env, readEnvironment } from '../reading/environment.ts';
import { LiveConfig } from './live-config.ts';
import { isReloadable, reloadable } from './reloadable.ts';

/** What a reload has found. */
export interface Reload {
  /** The names of the settings that have another value now. */
  applied: string[];
  /** The names of those that differ and keep their value until a restart. */
  needRestart: string[];
}

/** The reloadable settings as one process tells them to another; null: not set. */
export type ReloadableValues = Record<string, string | null>;

/** The settings of a running program: where they come from, and the configuration that is made of them. */
export class Settings<Config extends object> {
  readonly live: LiveConfig<Config>;
  readonly #environment: Env;
  readonly #read: (env: Env) => Config;
  /** What the configuration in force was read from. */
  #env: Env;

  /** Reads the settings from `environment` and the file that its CONFIG_FILE names. Throws ConfigError, which lists every fault. */
  constructor(environment: Env, read: (env: Env) => Config) {
    // A copy: the program adds the file's variables to its own environment.
    this.#environment = { ...environment };
    this.#read = read;
    this.#env = readEnvironment(this.#environment);
    this.live = new LiveConfig(read(this.#env), this.#env);
  }

  get env(): Env {
    return this.#env;
  }

  /** The file that `reload` reads; undefined without CONFIG_FILE. */
  get file(): string | undefined {
    return this.#environment.CONFIG_FILE?.trim() || undefined;
  }

  /** The reloadable settings in force. */
  get reloadableValues(): ReloadableValues {
    return Object.fromEntries(Object.keys(reloadable).map((name) => [name, this.#env[name] ?? null]));
  }

  /** Reads the file again and applies the reloadable settings. If there is any fault, changes nothing and throws ConfigError. */
  reload(): Reload {
    return this.#adopt(readEnvironment(this.#environment));
  }

  /** Applies the settings of the process that has started this one. */
  take(values: ReloadableValues): Reload {
    const given = Object.entries(values).map(([name, value]) => [name, value ?? undefined]);
    return this.#adopt({ ...this.#env, ...Object.fromEntries(given) });
  }

  #adopt(env: Env): Reload {
    const names = [...new Set([...this.#namesIn(env), ...this.#namesIn(this.#env)])];
    const changed = names.filter((name) => this.#makesDifference(name, env[name]));
    const applied = changed.filter(isReloadable);
    const next = { ...this.#env, ...Object.fromEntries(applied.map((name) => [name, env[name]])) };
    // New values may not fit those that need a restart.
    const config = this.#read(next);
    this.#env = next;
    this.live.reload(config, next);
    return { applied, needRestart: changed.filter((name) => !isReloadable(name)) };
  }

  /** Whether the configuration would be another one with this value: not if a default is spelled out, for example. */
  #makesDifference(name: string, value: string | undefined): boolean {
    if (value === this.#env[name]) return false;
    try {
      return !isDeepStrictEqual(this.#read({ ...this.#env, [name]: value }), this.live.current);
    } catch (error) {
      // It needs other new values beside it.
      if (error instanceof ConfigError) return true;
      throw error;
    }
  }

  /** The names of the settings that the program reads. Throws ConfigError if there is any fault. */
  #namesIn(env: Env): Set<string> {
    const names = new Set<string>();
    this.#read(
      new Proxy(env, {
        get(target, name) {
          names.add(String(name));
          return target[String(name)];
        },
      }),
    );
    return names;
  }
}
