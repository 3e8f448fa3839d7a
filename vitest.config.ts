import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['./scripts/agents.mjs', './scripts/sandbox.mjs'],
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    // Real processes on a small machine: few at a time, and time enough for a loaded host.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    isolate: true,
    // Real processes on a shared machine get one second chance; what fails twice is wrong.
    retry: 1,
  },
});
