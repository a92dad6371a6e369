import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { uniqueName } from '../../testing/clients/person.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

const checkout = fileURLToPath(new URL('../../..', import.meta.url));

test('make account uses ROLES as the roles of the account, not of the process', async () => {
  const make = (args: string[], env: Record<string, string> = {}) =>
    promisify(execFile)('make', ['-s', 'account', ...args], {
      cwd: checkout,
      env: { ...process.env, POSTGRES_DSN: dsn, ...env },
    });
  const dsn = await createTestDatabase();
  const name = uniqueName('carol');
  const made = await make([`NAME=${name}`, 'ROLES=admin']);
  expect(made.stdout + made.stderr).toContain(`created the account ${name} with the roles user, admin`);
  const again = await make([`NAME=${uniqueName('dave')}`], { ROLES: 'grpc' });
  expect(again.stdout + again.stderr).not.toContain('grpc');
});
