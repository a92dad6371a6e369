import { expect, test } from 'vitest';
import { explainOutput, explainSystemError } from './explain-failure.ts';

test.each([
  ['FATAL:  could not write lock file "postmaster.pid": No space left on device', 'is full', 'final'],
  ['FATAL:  lock file "postmaster.pid" already exists', 'is in use', 'folder_busy'],
  ['FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use', 'processes of an earlier', 'folder_busy'],
  ['FATAL:  could not create any TCP/IP sockets', 'port', 'port_taken'],
  ['initdb: error: could not look up effective user ID 4711: user does not exist', '/etc/passwd', 'final'],
  ['FATAL:  could not map anonymous shared memory: Cannot allocate memory', 'not enough memory', 'final'],
])('"%s" is explained', (line, words, reason) => {
  const error = explainOutput('starting PostgreSQL', '/data', [
    'LOG:  starting',
    line,
    'LOG:  database system is shut down',
  ]);
  expect(error.message).toContain(words);
  expect(error.reason).toBe(reason);
  expect(String(error.cause)).toContain(line);
});

test('an unknown failure shows the line that tells most', () => {
  const error = explainOutput('starting PostgreSQL', '/data', ['LOG:  a', 'FATAL:  the moon is full', 'LOG:  b']);
  expect(error.message).toBe('starting PostgreSQL failed in /data: FATAL:  the moon is full');
});

test('a system error becomes one line that keeps its cause', () => {
  const cause = Object.assign(new Error('EACCES: permission denied,\nopen'), { code: 'EACCES', path: '/data' });
  const error = explainSystemError('open the data folder', cause);
  expect(error.message).toBe('cannot open the data folder: no permission for /data');
  expect(error.cause).toBe(cause);
});
