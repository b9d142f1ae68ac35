/** Two projects: what runs in parallel inside one process each, and what starts real processes, one at a time. */
import { defineConfig } from 'vitest/config';

const SYSTEM = ['interop', 'e2e', 'natives', 'system'];
const UNIT = ['unit', 'contract', 'pipeline', 'arch', 'property', 'vectors', 'migrations'];
const files = (folders: readonly string[]) => folders.map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  // Node 20 has no `using`.
  oxc: { target: 'node20' },
  test: {
    allowOnly: process.env.CI === undefined,
    passWithNoTests: false,
    retry: 0,
    // Building the pages sets NODE_ENV to production in the process that does it; React's parts for tests are not in that build.
    env: { NODE_ENV: 'test' },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: files(UNIT), pool: 'forks', testTimeout: 120_000, hookTimeout: 120_000, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: files(SYSTEM),
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll: { timeout: 10_000 } },
          globalSetup: ['test/build-once.ts'],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
