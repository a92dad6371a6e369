import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{cmd,internal,pkg}/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
