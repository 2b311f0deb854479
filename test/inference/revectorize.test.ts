/** Kernels that V8 compiles to wider vectors: the check in a real process, and an engine that uses them. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checkRevectorize } from "../../inference/wasm/revectorize.ts";

test("every kernel gives the same bytes, or the check says that it does not", async () => {
  const report = await checkRevectorize();
  // Null where this Node has no such flag.
  if (report === null) return;
  expect(report.isSame).toBe(true);
  expect(report.gain).toBeGreaterThan(0);
}, 30_000);

/** The flag is a process's: each way has one of its own. */
function ids(revectorize: boolean): string {
  const local = fileURLToPath(new URL("../../inference/local/local-engine.ts", import.meta.url));
  const open = fileURLToPath(new URL("../../inference/checkpoint/open.ts", import.meta.url));
  const demo = fileURLToPath(new URL("../../inference/demo", import.meta.url));
  const program = `
    const { openLocalEngine } = await import(${JSON.stringify(local)});
    const { openCheckpoint } = await import(${JSON.stringify(open)});
    const engine = await openLocalEngine(openCheckpoint(${JSON.stringify(demo)}), {
      precision: "int8", contextLength: 1024, tuning: { revectorize: ${revectorize} },
    });
    const session = await engine.createSession();
    await session.sync(Array.from({ length: 600 }, (_, i) => (i * 37) % 4096));
    const ids = [];
    const sampling = { temperature: 1, topP: 1, seed: 3 };
    for await (const id of session.generate({ maxTokens: 200, stopIds: new Set(), sampling })) ids.push(id);
    console.log(JSON.stringify(ids));
    await engine.close();
  `;
  const flags = ["--no-liftoff", "--input-type=module", "--eval", program];
  const { stdout, stderr, status } = spawnSync(process.execPath, flags, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

test("an engine gives the same ids with it and without", () => {
  expect(ids(true)).toBe(ids(false));
}, 60_000);
