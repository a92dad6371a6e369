import { fileURLToPath } from 'node:url';
import { checkTests } from './check-tests.ts';

const faults = checkTests(process.argv[2] ?? fileURLToPath(new URL('../../../', import.meta.url)));
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
