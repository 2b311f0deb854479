import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { slowTests } from "./test/slow-tests.ts";

const slow = slowTests(fileURLToPath(new URL("./", import.meta.url)));

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
          include: ["test/**/*.test.ts"],
          exclude: [...slow, "test/package/**", "test/clients/**", "test/llama/**"],
          // One process runs them one after the other, which saves a third of the time: such a test leaves
          // nothing behind.
          isolate: false,
        },
      },
      { extends: true, test: { name: "slow", include: slow } },
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
      {
        extends: true,
        // A client that hangs is ended by its test, with all that it started.
        test: { name: "clients", include: ["test/clients/**/*.test.ts"] },
      },
      {
        extends: true,
        test: { name: "llama", include: ["test/llama/**/*.test.ts"], testTimeout: 600_000 },
      },
    ],
  },
});
