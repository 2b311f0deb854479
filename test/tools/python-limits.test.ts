/** Python under limits of the shell that started the agent: it runs, or says why it cannot. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const TOOLS = new URL("../../tools/index.ts", import.meta.url).href;
const SCRIPT = `
  import { createPythonTool } from ${JSON.stringify(TOOLS)};
  const python = createPythonTool({ cacheDir: null });
  const context = { signal: new AbortController().signal, callId: "c", idempotencyKey: "k", context: undefined, countTokens: () => 1, resultTokenLimit: 1000 };
  const result = await python.execute("6 * 7", context).then(({ text }) => text, (error) => "refused: " + error.message);
  console.log(result);
  await python.close();`;

test.runIf(process.platform === "linux")(
  // Enough for some of WebAssembly's memories and not for all.
  "20 GB of addresses",
  () => {
    const { stdout, signal } = spawnSync(
      "/bin/sh",
      [
        "-c",
        'ulimit -v 20000000; exec "$@"',
        "sh",
        process.execPath,
        "--input-type=module",
        "-e",
        SCRIPT,
      ],
      { encoding: "utf8", timeout: 80_000, killSignal: "SIGKILL" },
    );
    expect(signal).toBe(null);
    expect(stdout).toMatch(/^42$|^refused: .*(memory|threads|WebAssembly)/m);
  },
  90_000,
);
