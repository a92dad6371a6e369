/**
 * The settings that SIGHUP applies to a running program, with what they then apply to. All others need a restart. docs/settings.md shows the list. A
 * setting belongs here if every part that has its value follows `LiveConfig`.
 */
export const reloadable = {
  ADMIN_TOKEN: 'the next request',
  LOG_LEVEL: 'the next line',
  TRACING_SAMPLE_RATIO: 'the next trace',
  AUTH_GUESTS: 'the next call',
  AUTH_REGISTRATION: 'the next call',
  ROOMS_CREATE_ON_JOIN: 'the next call',
  EDIT_WINDOW_SECONDS: 'the next call',
  DELETE_WINDOW_SECONDS: 'the next call',
  EDIT_HISTORY: 'the next call',
  CUSTOM_REACTIONS: 'the next call',
  FEATURES_ENABLED: 'the next call',
  MAX_TEXT_LENGTH: 'the next call',
  MAX_MEMBERS: 'the next call',
  MAX_REACTION_KINDS: 'the next call',
  MAX_PAGE_SIZE: 'the next call',
  MAX_SIGNAL_MEMBERS: 'the next event',
  ARRIVALS_PER_SECOND: 'the next stream',
  ARRIVALS_MAX_WAITING: 'the next stream',
  MAX_STREAMS_PER_USER: 'the next stream',
  MAX_SUBSCRIPTIONS: 'the next stream',
  MAX_PENDING_SENDS: 'the next call',
  OUTBOX_BYTES: 'the next stream',
  RATE_LIMIT_MESSAGES: 'the next call',
  RATE_LIMIT_CALLS: 'the next call',
  RATE_LIMIT_GUESTS: 'the next call',
  RATE_LIMIT_SIGN_INS: 'the next call',
  RATE_LIMIT_LOGIN_FAILURES: 'the next call',
  RATE_LIMIT_PARTS: 'the next call',
  PRESENCE_GRACE_MS: 'the next event',
  RECONNECT_SPREAD_MS: 'the next stop',
} as const satisfies Record<string, Applies>;

type Applies =
  | 'the next call'
  | 'the next event'
  | 'the next line'
  | 'the next request'
  | 'the next stop'
  | 'the next stream'
  | 'the next trace';

export function isReloadable(name: string): boolean {
  return Object.hasOwn(reloadable, name);
}
