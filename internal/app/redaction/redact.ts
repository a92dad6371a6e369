/** Names whose values are secrets, in any spelling: `refreshToken`, `refresh_token`, `Set-Cookie`. */
const secretName =
  /password|passwd|passphrase|secret|authorization|cookie|apikey|credential|privatekey|jwt$|(?<!page)token$|^dsn$/;

/** Every line with a secret matches this. Most lines do not, and need no further work. */
const suspicious =
  /pass|secret|auth|cookie|api.?key|credential|private|jwt|token|dsn|:\/\/|bearer|basic|eyJ|Failing row/i;

const censored = '[redacted]';

const secretsInText: readonly [RegExp, string][] = [
  // The password in a URL. It ends at the last @, because an unescaped / or @ may be part of it.
  [/(:\/\/[^\s"'/?#:@]*:)[^\s"']+@/g, `$1${censored}@`],
  [/((?:^|[?&\s])[\w.-]*(?:pass|passwd|password|secret|token|api_?key)=)[^&\s"']+/gi, `$1${censored}`],
  [/\b(Bearer|Basic) +[\w.~+/=-]{8,}/gi, `$1 ${censored}`],
  // A JWT. Its header alone is not a secret.
  [/\b(eyJ[\w-]{5,})\.[\w-]+\.[\w-]*/g, `$1.${censored}`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs, censored],
  // PostgreSQL reports the whole row that breaks a constraint, with password hashes and users' texts.
  [/Failing row contains \(.*/gs, `Failing row contains (${censored})`],
];

/** Removes passwords in URLs, tokens, private keys and rows of the database from the text. */
export function redactText(text: string): string {
  return secretsInText.reduce((left, [pattern, replacement]) => left.replace(pattern, replacement), text);
}

/** Removes secrets from a line of JSON: the values of secret names at any depth, and what `redactText` removes from any text. */
export function redactLine(line: string): string {
  if (!suspicious.test(line)) return line;
  const replace = (name: string, value: unknown) => {
    if (value !== null && secretName.test(name.toLowerCase().replace(/[-_]/g, ''))) return censored;
    return typeof value === 'string' ? redactText(value) : value;
  };
  return `${JSON.stringify(JSON.parse(line), replace)}\n`;
}
