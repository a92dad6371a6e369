import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('the third-party .proto files are those of the installed packages', async () => {
  const run = promisify(execFile);
  await run(fileURLToPath(new URL('vendor-proto.sh', import.meta.url)));
  const { stdout } = await run('git', ['status', '--porcelain', '--', 'vendor.protogen']);
  expect(stdout).toBe('');
});
