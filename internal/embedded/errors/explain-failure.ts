import { EmbeddedPostgresError, type FailureReason } from './embedded-postgres-error.ts';

interface KnownFailure {
  readonly pattern: RegExp;
  readonly reason?: FailureReason;
  readonly message: (folder: string) => string;
}

/** Known lines of PostgreSQL's programs, the most specific first. They are in English, because LC_ALL is C. */
const KNOWN_FAILURES: readonly KnownFailure[] = [
  {
    pattern: /lock file "postmaster\.pid" (already exists|is empty)/,
    reason: 'folder_busy',
    message: (folder) => `the data folder ${folder} is in use by another PostgreSQL server`,
  },
  {
    pattern: /pre-existing shared memory block/,
    reason: 'folder_busy',
    message: (folder) =>
      `processes of an earlier PostgreSQL server still use the data folder ${folder}; stop them first`,
  },
  {
    pattern: /could not create any TCP\/IP sockets|Address already in use/,
    reason: 'port_taken',
    message: () => 'the port chosen for the bundled PostgreSQL was taken by another program',
  },
  {
    pattern: /No space left on device|Disk quota exceeded/,
    message: (folder) => `the disk that holds the data folder ${folder} is full`,
  },
  {
    pattern: /Cannot allocate memory|Out of memory/i,
    message: () => 'there is not enough memory to start the bundled PostgreSQL',
  },
  {
    pattern: /could not look up effective user ID (\d+)/,
    message: () => 'the user that runs the service has no entry in /etc/passwd, which PostgreSQL needs',
  },
  {
    pattern: /Read-only file system/,
    message: (folder) => `the data folder ${folder} is on a read-only disk`,
  },
];

/** Makes an error with one line for the operator out of the lines that a PostgreSQL program wrote before it failed. */
export function explainOutput(task: string, folder: string, lines: readonly string[]): EmbeddedPostgresError {
  const cause = new Error(lines.join('\n'));
  for (const { pattern, reason, message } of KNOWN_FAILURES) {
    if (lines.some((line) => pattern.test(line))) return new EmbeddedPostgresError(message(folder), { reason, cause });
  }
  const telling = lines.find((line) => /FATAL:|PANIC:|error:/.test(line)) ?? lines.at(-1) ?? 'it wrote nothing';
  return new EmbeddedPostgresError(`${task} failed in ${folder}: ${telling.trim()}`, { cause });
}

/** Makes an error with one line for the operator out of a failed file or process call. */
export function explainSystemError(task: string, error: unknown): EmbeddedPostgresError {
  if (error instanceof EmbeddedPostgresError) return error;
  const { code, path = '', message } = error as NodeJS.ErrnoException;
  const what = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EACCES: `no permission for ${path}`,
    EPERM: `not permitted on ${path}`,
    EROFS: `${path} is on a read-only disk`,
  }[code ?? ''];
  return new EmbeddedPostgresError(`cannot ${task}: ${what ?? message}`, { cause: error });
}
