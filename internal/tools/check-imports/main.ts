#!/usr/bin/env node
// Checks the imports of the repository, or of another folder that is laid out like it: see areas.ts.
import { checkImports } from './check-imports.ts';

for (const fault of checkImports(process.argv[2] ?? '.')) {
  console.error(fault);
  process.exitCode = 1;
}
