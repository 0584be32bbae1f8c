import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    pool: 'forks',
    setupFiles: ['tests/own-cores.ts'],
    projects: [
      {
        extends: true,
        // Nothing in them outlives its file: modules are loaded once for all, in half of the time.
        test: { name: 'unit', include: ['tests/unit/**/*.test.ts'], isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['tests/{integration,conformance,faults,shell}/**/*.test.ts'],
        },
      },
    ],
  },
});
