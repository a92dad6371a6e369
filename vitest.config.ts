import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{cmd,internal,pkg}/**/*.test.ts'],
    globalSetup: ['internal/testing/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
    // Elsewhere a machine may stall for seconds; what needs a second attempt is named at the end of the run.
    retry: process.env.CI ? 1 : 0,
    reporters: ['default', './internal/testing/closing-line-reporter.ts'],
    coverage: {
      provider: 'v8',
      reporter: ['text-summary', 'html'],
      include: ['cmd/**/*.ts', 'internal/**/*.ts', 'pkg/**/*.ts'],
      exclude: ['**/*.test.ts', '**/testing/**', 'pkg/api/**', 'cmd/bench/**'],
    },
  },
});
