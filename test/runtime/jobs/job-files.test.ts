/** Files that Python makes in a job, by way of a worker into a place that outlives it. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Agent, ScriptedModel, type ScriptedStep } from "../../../runtime/index.ts";
import { type Jobs, openArtifacts, openJobs } from "../../../runtime/jobs/index.ts";
import { createPythonTool, defineTool } from "../../../tools/index.ts";
import { startPostgres, type TestPostgres } from "../../postgres/start-postgres.ts";
import { temporaryFolder } from "../../tools/support.ts";

let postgres: TestPostgres;
let jobs: Jobs;
beforeAll(async () => {
  postgres = await startPostgres();
  jobs = await openJobs(await postgres.newDatabase());
});
afterAll(async () => {
  await jobs?.close();
  await postgres?.stop();
});

const cell = (code: string): ScriptedStep => [
  { recipient: "python", contentType: "code", text: code, terminator: "call", channel: "analysis" },
];

test("are named in the job when their call has ended, and go with it", {
  timeout: 120_000,
}, async () => {
  const [folder, kept] = [temporaryFolder(), temporaryFolder()];
  await using store = await openArtifacts(kept, {});
  const python = createPythonTool({ artifactFolder: folder });
  const liar = defineTool({
    name: "liar",
    description: "Says that it made a file of this machine.",
    inputSchema: { type: "object" },
    execute: () => ({
      text: "made",
      data: {
        artifacts: [{ name: "p", path: "/etc/passwd", bytes: 1, url: "file:///etc/passwd" }],
      },
    }),
  });
  const steps = [
    cell("open('/outputs/a.txt', 'w').write('one')"),
    cell("open('/outputs/a.txt', 'w').write('two'); open('/outputs/b.csv', 'w').write('x')"),
    [{ recipient: "functions.liar", text: "{}", terminator: "call" }] as const,
    "Two files.",
  ];
  const { id } = await jobs.submit({ prompt: "Make files." });
  try {
    await jobs.work({
      once: true,
      open: async () => ({
        agent: new Agent({ model: new ScriptedModel(steps), tools: [python, liar] }),
        outputs: { folder, store },
        [Symbol.asyncDispose]: async () => {},
      }),
    });
  } finally {
    await python.close?.();
  }
  const { state, error, artifacts } = await jobs.get(id);
  expect({ state, error }).toEqual({ state: "completed", error: null });
  expect(artifacts.map(({ name, bytes }) => [name, bytes])).toEqual([
    ["a.txt", 3],
    ["b.csv", 1],
  ]);
  const [first] = artifacts.map(({ url }) => fileURLToPath(url));
  expect(readFileSync(first ?? "", "utf8")).toBe("two");
  expect(await jobs.purge({ before: new Date(Date.now() + 60_000) }, {})).toBe(1);
  expect(readdirSync(kept)).toEqual([]);
  expect(existsSync("/etc/passwd")).toBe(true);
});

test("that cannot be kept are said beside the answer", { timeout: 120_000 }, async () => {
  const folder = temporaryFolder();
  const occupied = join(temporaryFolder(), "occupied");
  writeFileSync(occupied, "");
  await using store = await openArtifacts(occupied, {});
  const python = createPythonTool({ artifactFolder: folder });
  const { id } = await jobs.submit({ prompt: "Make a file." });
  try {
    await jobs.work({
      once: true,
      open: async () => ({
        agent: new Agent({
          model: new ScriptedModel([cell("open('/outputs/a', 'w').write('1')"), "Done."]),
          tools: [python],
        }),
        outputs: { folder, store },
        [Symbol.asyncDispose]: async () => {},
      }),
    });
  } finally {
    await python.close?.();
  }
  expect(await jobs.get(id)).toMatchObject({
    state: "failed",
    result: { output: "Done." },
    error: {
      code: "CHORALE_JOB_ARTIFACTS",
      message: expect.stringMatching(/^Cannot keep the file a of job .* in .*occupied: E[A-Z]+/),
    },
    artifacts: [],
  });
});
