/**
 * A worker on another host than the database and the engine: a network namespace of its own, with a link that is cut in
 * the middle of a turn. It needs the right to make namespaces (root on Linux), and is skipped elsewhere.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { tokenizerFromHfJson } from "../../../harmony/index.ts";
import { openJobs } from "../../../runtime/jobs/index.ts";
import { launcher } from "../../cli/chorale.ts";
import { makeChainModel } from "../../fixtures/make-chain-model.ts";
import { startPostgres } from "../../postgres/start-postgres.ts";
import { temporaryFolder } from "../../tools/support.ts";

const HOST = "10.213.77.1";
const NAME = `chorale${process.pid % 100_000}`;
/** Interfaces have at most 15 characters. */
const [OWN, OTHER] = [`ch${process.pid % 100_000}a`, `ch${process.pid % 100_000}b`];
const KEY = "key-of-two-hosts";
const CUT_MS = 1_500;

const ip = (line: string): void => {
  execFileSync("ip", line.split(" "), { stdio: "pipe" });
};

/** Makes the other host. @returns whether that is allowed here */
function makeHost(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    ip(`netns add ${NAME}`);
    ip(`link add ${OWN} type veth peer name ${OTHER}`);
    ip(`link set ${OTHER} netns ${NAME}`);
    ip(`addr add ${HOST}/30 dev ${OWN}`);
    ip(`link set ${OWN} up`);
    ip(`-n ${NAME} addr add 10.213.77.2/30 dev ${OTHER}`);
    ip(`-n ${NAME} link set ${OTHER} up`);
    ip(`-n ${NAME} link set lo up`);
    return true;
  } catch {
    removeHost();
    return false;
  }
}

function removeHost(): void {
  for (const line of [`netns del ${NAME}`, `link del ${OWN}`]) {
    try {
      ip(line);
    } catch {
      // It was not made, or went with the other.
    }
  }
}

const TOOL = (calls: string): string => `
import { appendFileSync } from "node:fs";
export default {
  recipient: "functions.note",
  description: "Writes the weather of a city into a notebook.",
  inputSchema: { type: "object", properties: { city: { type: "string" } } },
  timeoutMs: 60000,
  async execute(input, { idempotencyKey }) {
    appendFileSync(${JSON.stringify(calls)}, idempotencyKey + "\\n");
    await new Promise((done) => setTimeout(done, 400));
    return "noted";
  },
};
`;

function start(args: readonly string[], env: NodeJS.ProcessEnv, program = process.execPath) {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

/** The first line of a stream that a pattern matches. */
async function lineOf(child: ChildProcess, stream: "stdout" | "stderr", pattern: RegExp) {
  const lines = child[stream];
  if (lines === null) throw new Error("it has no such stream");
  const seen: string[] = [];
  for await (const line of createInterface(lines)) {
    const found = pattern.exec(line);
    if (found !== null) return found;
    seen.push(line);
  }
  throw new Error(`it ended: ${seen.join("\n")}`);
}

test("a turn whose link is cut goes on when it is mended", {
  timeout: 240_000,
}, async (context) => {
  if (!makeHost()) return context.skip("network namespaces cannot be made here");
  onTestFinished(removeHost);
  const folder = temporaryFolder();
  const [calls, tool, model] = ["calls.txt", "note.mjs", "model"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  writeFileSync(tool, TOOL(calls));
  mkdirSync(model);
  const vocabulary = fileURLToPath(
    new URL("../../../inference/demo/tokenizer.json", import.meta.url),
  );
  copyFileSync(vocabulary, join(model, "tokenizer.json"));
  const tokenizer = tokenizerFromHfJson(JSON.parse(readFileSync(vocabulary, "utf8")));
  makeChainModel(model, tokenizer, "<|channel|>commentary to=note<|message|>{}<|call|>");
  await using postgres = await startPostgres({
    settings: { listen_addresses: `127.0.0.1,${HOST}` },
    networks: [`${HOST}/30`],
  });
  const url = new URL(await postgres.newDatabase());
  await using jobs = await openJobs(url.href);
  const serving = start([launcher, "serve", "--model", model], {
    CHORALE_HOME: join(folder, "server"),
    CHORALE_HOST: `${HOST}:0`,
    CHORALE_API_KEY: KEY,
  });
  const [, port] = await lineOf(serving, "stderr", /:\/\/10\.213\.77\.1:(\d+)/);
  url.hostname = HOST;
  const flags = ["--temperature", "0", "--seed", "1", "--max-steps", "4", "--json"];
  const worker = start(
    ["netns", "exec", NAME, process.execPath, launcher, "jobs", "worker", "--tool", tool, ...flags],
    {
      CHORALE_HOME: join(folder, "worker"),
      CHORALE_DATABASE: url.href,
      CHORALE_ENGINE: `chorale://${HOST}:${port}`,
      CHORALE_ENGINE_KEY: KEY,
    },
    "ip",
  );
  const complaints: string[] = [];
  createInterface(worker.stderr).on("line", (line) => complaints.push(line));
  const ended = async (id: string) => {
    for (;;) {
      const job = await jobs.get(id);
      if (["completed", "failed", "cancelled"].includes(job.state)) return job;
      if (worker.exitCode !== null) throw new Error(complaints.join("\n"));
      await wait(100);
    }
  };
  const prompt = "Note the weather in Lisbon.";
  const undisturbed = await ended((await jobs.submit({ prompt })).id);
  expect(undisturbed.error).toBeNull();
  const callsIn = (): string[] =>
    existsSync(calls) ? readFileSync(calls, "utf8").trimEnd().split("\n") : [];
  const before = callsIn().length;
  const { id } = await jobs.submit({ prompt });
  while (callsIn().length === before) await wait(20);
  ip(`link set ${OWN} down`);
  await wait(CUT_MS);
  ip(`link set ${OWN} up`);
  const cut = await ended(id);
  expect(cut).toMatchObject({ state: "completed", result: { output: undisturbed.result?.output } });
  expect(new Set(callsIn()).size).toBe(callsIn().length);
  expect(callsIn()).toHaveLength(2 * before);
});
