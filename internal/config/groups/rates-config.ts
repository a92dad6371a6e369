import type { EnvReader } from '../reading/env-reader.ts';

/** How often something may be done; 0: as often as anybody wants. */
export interface RatesConfig {
  /** For each user. */
  messagesPerSecond: number;
  /** Other calls and commands, for each user. */
  callsPerSecond: number;
  /** Guest sign-ins, for each address. */
  guestsPerMinute: number;
  /** Login and Register, for each address. */
  signInsPerMinute: number;
  /** Wrong passwords in a quarter of an hour, for each user name from one network; ten times as many from all networks together. */
  loginFailures: number;
  /** Parts of streamed messages, for each user. */
  partsPerSecond: number;
}

export function readRates(read: EnvReader): RatesConfig {
  const range = { min: 0, max: 1_000_000 };
  return {
    messagesPerSecond: read.integer('RATE_LIMIT_MESSAGES', 100, range),
    callsPerSecond: read.integer('RATE_LIMIT_CALLS', 100, range),
    guestsPerMinute: read.integer('RATE_LIMIT_GUESTS', 60, range),
    signInsPerMinute: read.integer('RATE_LIMIT_SIGN_INS', 60, range),
    loginFailures: read.integer('RATE_LIMIT_LOGIN_FAILURES', 10, range),
    partsPerSecond: read.integer('RATE_LIMIT_PARTS', 1_000, range),
  };
}
