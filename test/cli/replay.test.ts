/** `chorale replay` as its user runs it. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chorale } from "./chorale.ts";
import { inProcess } from "./in-process.ts";

const FIXTURES = fileURLToPath(new URL("../fixtures/threads/", import.meta.url));
/** Alone it takes a twentieth; two threads of a model wait for each other where other tests have the cores. */
const LIMIT_MS = 240_000;

let root: string;
let home: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "replay-command-"));
  home = join(root, "home");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("a conversation of the store, with its seed, and another result of its call", {
  timeout: LIMIT_MS,
}, async () => {
  const weather = join(root, "weather.mjs");
  writeFileSync(
    weather,
    `import { defineTool } from "chorale";
     export default defineTool({ name: "get_weather", description: "Gets the current weather in a city.",
       inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
       execute: () => ({ temperature: 18, sky: "cloudy" }) });`,
  );
  const ask = ["run", "--json", "--seed", "7", "--tool", weather, "What is the weather in Lisbon?"];
  const ran = await chorale(ask, { home });
  const { thread_id: id } = JSON.parse(ran.stdout.split("\n")[0] ?? "");
  const replayed = await chorale(["replay", id, "--tool", weather], { home });
  expect(replayed).toMatchObject({ code: 0, stderr: "" });
  expect(replayed.stdout).toMatch(/^2 steps of thread_\S+: \d+ tokens, all the same\.\n$/);
  const edit = ["replay", id, "--tool", weather, "--edit", '1={"temperature":-3,"sky":"snow"}'];
  const edited = await chorale(edit, { home });
  expect(edited.code).toBe(0);
  expect(edited.stdout).toBe("The result is: temperature -3, sky snow.\n");
  expect(edited.stderr).toMatch(
    /the copy is thread_\S+; the recorded conversation stays as it is\./,
  );
  // The tool has changed since: that is told, and is a difference.
  writeFileSync(weather, readFileSync(weather, "utf8").replace("Gets", "Tells"));
  const changed = await chorale(["replay", id, "--tool", weather], { home });
  expect(changed.code).toBe(1);
  expect(changed.stdout).toMatch(
    /^tool: The tool functions\.get_weather has another description or schema now .*\n2 steps/,
  );
});

test("a folder as a test: what is the same, what differs, what is broken", {
  timeout: LIMIT_MS,
}, async () => {
  const folder = join(root, "threads");
  mkdirSync(join(folder, "inner"), { recursive: true });
  copyFileSync(join(FIXTURES, "16-short.jsonl"), join(folder, "inner", "a.jsonl"));
  const good = readFileSync(join(FIXTURES, "05-function.jsonl"), "utf8");
  writeFileSync(join(folder, "b.jsonl"), good.replace("cloudy", "stormy"));
  writeFileSync(join(folder, "c.jsonl"), '{"type":"thread"}\n');
  const { code, stdout } = await chorale(["replay", "--check", folder], { home });
  expect(code).toBe(1);
  expect(stdout.split("\n")).toEqual([
    expect.stringMatching(/^DIFFERS {2}b\.jsonl: 1 step of .* then step 2 differs \(entry 5/),
    "           The model reads another prompt than was recorded.",
    expect.stringMatching(/^ {11}recorded: \d+ tokens/),
    expect.stringMatching(/^ {11}replayed: \d+ tokens/),
    expect.stringMatching(/^BROKEN {3}c\.jsonl: Line 1 is no entry of a thread log/),
    "same     inner/a.jsonl: 1 step of thread_16-short: 12 tokens, all the same.",
    "1 of 3 are the same.",
    "",
  ]);
  rmSync(join(folder, "b.jsonl"));
  rmSync(join(folder, "c.jsonl"));
  const json = await chorale(["replay", "--check", folder, "--json"], { home });
  expect(json.code).toBe(0);
  expect(
    json.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { file: "inner/a.jsonl", isSame: true, steps: 1, difference: null },
    { threads: 1, same: 1, different: 0 },
  ]);
});

test.each<[string[], string]>([
  [[], "No conversation began in"],
  [["nope"], "nope"],
  [["--check", "/nope"], "--check /nope cannot be read"],
  [["--check", join(FIXTURES, "..", "tiny-model")], "has no *.jsonl; chorale sessions export"],
  [["--check", FIXTURES, "--until", "2"], "--check and --until exclude each other"],
  [["x", "--check", FIXTURES], "leave the conversation out"],
  [["x", "--live"], "name it with --until"],
  [[join(FIXTURES, "05-function.jsonl"), "--edit", "7=x"], 'no result of a call "7"'],
  [[join(FIXTURES, "05-function.jsonl"), "--edit", "1=@/nope"], "cannot be read"],
  [[join(FIXTURES, "05-function.jsonl"), "--until", "9", "--live"], "there is no step 9"],
  [[join(FIXTURES, "05-function.jsonl"), "--until", "0"], "--until"],
])("replay %j is refused", async (args, sentence) => {
  // A state folder without conversations: those of the tests above began in this folder.
  const env = { CHORALE_HOME: join(root, "empty") };
  const { code, stdout, stderr } = await inProcess(["replay", ...args], env);
  expect({ code, stdout, told: stderr.includes(sentence) ? sentence : stderr }).toEqual({
    code: 2,
    stdout: "",
    told: sentence,
  });
});
