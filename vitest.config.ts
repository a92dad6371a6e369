import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{cmd,internal,pkg}/**/*.test.ts'],
    globalSetup: ['internal/testing/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
  },
});
