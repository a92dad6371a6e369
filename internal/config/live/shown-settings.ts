import type { Env } from '../reading/environment.ts';
import { settingNames } from '../setting-names.ts';
import { isReloadable } from './reloadable.ts';

/** A setting as administrators see it. */
export interface ShownSetting {
  name: string;
  /** Null: not set, so that its default is in force. Secrets are replaced by `[hidden]`. */
  value: string | null;
  /** Whether SIGHUP applies a new value. */
  reloadable: boolean;
}

const hidden = '[hidden]';

/** Settings whose values are secrets as a whole. */
const secretName = /TOKEN$|PASSWORD|SECRET|PRIVATE|CREDENTIAL/;

/** Lists all settings by name. What a URL has before its host is hidden, and the values of its parameters: either may be a password. */
export function shownSettings(env: Env): ShownSetting[] {
  return [...settingNames()].toSorted().map((name) => {
    const value = env[name]?.trim();
    return { name, value: value ? shown(name, value) : null, reloadable: isReloadable(name) };
  });
}

function shown(name: string, value: string): string {
  if (secretName.test(name)) return hidden;
  if (!/dsn|:\/\/|password|passfile/i.test(`${name} ${value}`)) return value;
  // Several addresses are separated by commas, and a password may contain one.
  const isUrl = /^[a-z][a-z\d+.-]*:\/\/[^\s]*$/i.test(value);
  // A DSN of keywords and values, as libpq takes it, may quote anything.
  if (!isUrl)
    return name.endsWith('DSN') || /password/i.test(value) ? hidden : value.replace(/:\/\/.*@/g, `://${hidden}@`);
  return value.replace(/:\/\/.*@/, `://${hidden}@`).replace(/([?&][^=&]*=)[^&]*/g, `$1${hidden}`);
}
