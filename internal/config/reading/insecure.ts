import { decoded, type EnvReader } from './env-reader.ts';

const words = ['guests', 'default-password', 'plaintext', 'data-loss'] as const;
type Word = (typeof words)[number];

/** Something that is safe on a developer's machine only. */
export interface Insecurity {
  /** What ALLOW_INSECURE calls it. */
  word: Word;
  /** What is unsafe, and how to change it. */
  what: string;
  /** Whether others can reach it. If not, it is no warning outside production. */
  exposed: boolean;
}

/** Passwords that attackers try first. */
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

/** Whether a URL names another machine and is not encrypted. */
export function isPlainElsewhere(url: string | undefined): boolean {
  const { protocol, hostname } = URL.parse(url ?? '') ?? {};
  return /^(http|nats|redis):$/.test(protocol ?? '') && hostname !== undefined && !isLoopback(hostname);
}

/** Those of the settings whose URL names another machine by plain HTTP. */
export function findPlainUrls(urls: Readonly<Record<string, string | undefined>>): Insecurity[] {
  return Object.entries(urls)
    .filter(([, url]) => isPlainElsewhere(url))
    .map(([name]) => ({
      word: 'plaintext',
      what: `${name} names another machine without TLS: use https`,
      exposed: true,
    }));
}

/** The setting, if its URL has a password that attackers try first. The password is not repeated. */
export function findDefaultPassword(name: string, url: string | undefined): Insecurity[] {
  const { password, username, hostname = '', searchParams } = URL.parse(url ?? '') ?? {};
  if (password === undefined) return [];
  const given = decoded(password) || (searchParams?.get('password') ?? '');
  // Without a password something else may prove who the service is: a certificate, or the operating system.
  if (given === '' || (!defaultPasswords.has(given.toLowerCase()) && given !== username)) return [];
  const what = `${name} has a password that attackers try first: choose another`;
  return [{ word: 'default-password', what, exposed: !isLoopback(hostname) }];
}

/** Whether something that is unsafe in production is allowed: outside production, and if ALLOW_INSECURE has its word. */
export function allowsInsecurity(read: EnvReader, word: Word): boolean {
  const production = read.optional('NODE_ENV') === 'production';
  return !production || read.list('ALLOW_INSECURE', [], () => true, '').includes(word);
}

/**
 * In production (`NODE_ENV`) every insecurity is a fault unless `ALLOW_INSECURE` has its word. Returns warnings for those that others can reach.
 */
export function judgeInsecurities(read: EnvReader, found: readonly Insecurity[]): string[] {
  const stages = ['development', 'test', 'production'] as const;
  const production = read.oneOf('NODE_ENV', stages, 'development') === 'production';
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
