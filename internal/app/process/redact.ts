/** Names whose values are secrets, however they are written: `refreshToken`, `refresh_token`, `Set-Cookie`. */
const secretName =
  /password|passwd|passphrase|secret|authorization|cookie|apikey|credential|privatekey|jwt$|(?<!page)token$|^dsn$/;

/** What a line that holds a secret has somewhere: most lines have none of it. */
const suspicious =
  /pass|secret|auth|cookie|api.?key|credential|private|jwt|token|dsn|:\/\/|bearer|basic|eyJ|Failing row/i;

const censored = '[redacted]';

const secretsInText: readonly [RegExp, string][] = [
  // The user's password in a URL; up to the last @, for it may hold a / or @ that was not escaped.
  [/(:\/\/[^\s"'/?#:@]*:)[^\s"']+@/g, `$1${censored}@`],
  [/((?:^|[?&\s])[\w.-]*(?:pass|passwd|password|secret|token|api_?key)=)[^&\s"']+/gi, `$1${censored}`],
  [/\b(Bearer|Basic) +[\w.~+/=-]{8,}/gi, `$1 ${censored}`],
  // A JWT; its header alone is no secret.
  [/\b(eyJ[\w-]{5,})\.[\w-]+\.[\w-]*/g, `$1.${censored}`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs, censored],
  // PostgreSQL tells all of a row that breaks a constraint: hashes of passwords, what users write.
  [/Failing row contains \(.*/gs, `Failing row contains (${censored})`],
];

/** The text without the passwords of URLs, tokens, private keys and rows of the database that it may hold. */
export function redactText(text: string): string {
  return secretsInText.reduce((left, [pattern, replacement]) => left.replace(pattern, replacement), text);
}

/** The same line of JSON without secrets: neither as values of names that say so, at any depth, nor within any text. */
export function redactLine(line: string): string {
  if (!suspicious.test(line)) return line;
  const replace = (name: string, value: unknown) => {
    if (value !== null && secretName.test(name.toLowerCase().replace(/[-_]/g, ''))) return censored;
    return typeof value === 'string' ? redactText(value) : value;
  };
  return `${JSON.stringify(JSON.parse(line), replace)}\n`;
}
