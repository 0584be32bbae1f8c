import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    pool: 'forks',
    // Nothing in them outlives its file: modules are loaded once for all, in half of the time.
    isolate: false,
    globalSetup: ['tests/shared-folder.ts'],
    setupFiles: ['tests/own-cores.ts'],
    include: ['tests/{unit,integration,conformance,faults,shell}/**/*.test.ts'],
  },
});
