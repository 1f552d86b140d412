import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Every writer's thread and every started command would compile the same files again.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/compile');

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/postgres.ts'],
    sequence: { shuffle: true },
    expect: { requireAssertions: true },
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Files keep nothing from each other, and a process for each of a hundred would take a third of the time.
    isolate: false,
    // More than two cores' worth: some tests wait for processes to die.
    maxWorkers: 4,
    // The processes share the cores, so threads that collect garbage beside them only cost: a tenth of the whole run.
    execArgv: ['--single-threaded-gc', '--max-semi-space-size=64'],
  },
});
