import { decoded, type EnvReader } from './env-reader.ts';

const words = ['guests', 'default-password', 'plaintext'] as const;
type Word = (typeof words)[number];

/** Something that is fine on one's own machine, and nowhere else. */
export interface Insecurity {
  word: Word;
  /** What is so, and what to do about it. */
  what: string;
  /** Whether others can come by it: else it is not worth a warning outside production. */
  exposed: boolean;
}

/** Passwords that are tried first. */
const defaultPasswords = new Set([
  '',
  'admin',
  'changeme',
  'chat',
  'password',
  'passw0rd',
  'postgres',
  'postgresql',
  'root',
  'secret',
  'test',
  '123456',
]);

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Whether a URL leads to another machine without TLS. */
export function isPlainElsewhere(url: string | undefined): boolean {
  const { protocol, hostname } = URL.parse(url ?? '') ?? {};
  return /^(http|nats|redis):$/.test(protocol ?? '') && hostname !== undefined && !isLoopback(hostname);
}

/** Whether a database's address has a password that anybody would try. */
export function hasDefaultPassword(dsn: string | undefined): boolean {
  const { password, username, searchParams } = URL.parse(dsn ?? '') ?? {};
  if (password === undefined) return false;
  const given = decoded(password) || (searchParams?.get('password') ?? '');
  // Without any, something else may prove who we are: a certificate, the operating system.
  return given !== '' && (defaultPasswords.has(given.toLowerCase()) || given === username);
}

/**
 * In production (`NODE_ENV`) each is a fault unless `ALLOW_INSECURE` names it. Returns what to warn of all the same.
 */
export function judgeInsecurities(read: EnvReader, found: readonly Insecurity[]): string[] {
  const production = read.string('NODE_ENV', 'development') === 'production';
  read.oneOf('NODE_ENV', ['development', 'test', 'production'] as const, 'development') === 'production';
  const allowed = read.list(
    'ALLOW_INSECURE',
    [],
    (word) => (words as readonly string[]).includes(word),
    `some of ${words.join(', ')}`,
  );
  for (const { word, what } of found) {
    read.require(
      !production || allowed.includes(word),
      `${what} (in production this is refused unless ALLOW_INSECURE has "${word}")`,
    );
  }
  return found.filter(({ exposed }) => exposed).map(({ what }) => what);
}
