import { defineConfig } from "vitest/config";

/**
 * Tests that start the command, Python, plugins or other processes, or load many models. `npm run test:fast`
 * leaves them out.
 */
const SLOW = [
  "test/cli/**/*.test.ts",
  "test/conformance/**/*.test.ts",
  "test/tools/{isolate,plugins,python}*.test.ts",
  "test/eval/run-task.test.ts",
  "test/harmony/browser.test.ts",
  "test/inference/{broken-numbers,hostile-documents,loading,prefix-store,screening,shapes}.test.ts",
  "test/runtime/golden.test.ts",
];

export default defineConfig({
  test: {
    // Engines, Pyodide and SQLite are real here: processes, not threads, and few at once.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          // All in one process after another, which saves a third of the time: such a test leaves nothing behind.
          isolate: false,
          include: ["test/**/*.test.ts"],
          exclude: [...SLOW, "test/package/**"],
        },
      },
      { extends: true, test: { name: "slow", include: SLOW } },
      {
        extends: true,
        test: {
          name: "types",
          include: [],
          typecheck: { enabled: true, only: true, include: ["test/types/**/*.test-d.ts"] },
        },
      },
      {
        extends: true,
        test: {
          name: "package",
          include: ["test/package/**/*.test.ts"],
          globalSetup: "test/package/setup.ts",
        },
      },
    ],
  },
});
