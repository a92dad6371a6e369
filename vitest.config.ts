import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Workers and the programs that tests start inherit both.
process.env.SEED ??= String(randomInt(2 ** 31));
if (!/^\d+$/.test(process.env.SEED)) throw new Error('SEED must be a whole number');
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/compile-cache');

const tests = '{cmd,internal,pkg}/**/*.test.ts';
const slowTests = '{cmd,internal,pkg}/**/*.slow.test.ts';

export default defineConfig({
  test: {
    globalSetup: ['internal/testing/global-setup.ts'],
    setupFiles: ['internal/testing/seeded-properties.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    restoreMocks: true,
    unstubGlobals: true,
    reporters: ['default', './internal/testing/closing-line-reporter.ts'],
    projects: [
      {
        extends: true,
        // Workers run one file after another without loading the service anew for each.
        test: {
          name: 'fast',
          include: [tests],
          exclude: [slowTests],
          isolate: false,
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'slow', include: [slowTests], testTimeout: 300_000, maxWorkers: 3, sequence: { groupOrder: 1 } },
      },
    ],
    coverage: {
      provider: 'v8',
      reporter: ['text-summary', 'html'],
      include: ['cmd/**/*.ts', 'internal/**/*.ts', 'pkg/**/*.ts'],
      exclude: ['**/*.test.ts', '**/testing/**', 'pkg/api/**', 'cmd/bench/**'],
    },
  },
});
