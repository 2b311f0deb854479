/**
 * Runs of the command with a tool that leaves something behind, killed (SIGKILL) at random moments and
 * continued. What must hold: the store opens, every log is valid, and no call that is in the log is executed
 * a second time.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tokenizerFromHfJson } from "../../harmony/index.ts";
import { threadsPath } from "../../runtime/environment.ts";
import { fold, SqliteThreadStore, step, type ThreadState } from "../../runtime/index.ts";
import { chorale } from "../cli/chorale.ts";
import { makeChainModel } from "../fixtures/make-chain-model.ts";

export type KillReport = {
  readonly runs: number;
  readonly killed: number;
  /** Runs that were killed while a call was executed, so that its outcome is not known. */
  readonly unknownOutcomes: number;
  readonly effects: number;
  readonly problems: readonly string[];
};

export type KillOptions = {
  readonly runs: number;
  readonly folder: string;
  /** Makes the moments of the kills. */
  readonly seed: number;
  /** `chain`: random weights that say one call for ever; `embedded`: the embedded model. */
  readonly model: "chain" | "embedded";
  readonly onProgress?: (run: number) => void;
};

/** Each call leaves one line with its idempotency key, before and after a pause. */
const TOOL = `
import { appendFileSync } from "node:fs";
export default {
  recipient: "functions.note",
  description: "Writes the weather of a city into a notebook.",
  inputSchema: { type: "object", properties: { city: { type: "string" } } },
  timeoutMs: 10000,
  async execute(input, { idempotencyKey }) {
    appendFileSync(process.env.EFFECTS, idempotencyKey + "\\n");
    await new Promise((done) => setTimeout(done, 40));
    return "noted";
  },
};
`;

const vocabulary = fileURLToPath(new URL("../../inference/demo/tokenizer.json", import.meta.url));

export async function killRuns(options: KillOptions): Promise<KillReport> {
  const { folder, runs } = options;
  const tool = join(folder, "note.mjs");
  writeFileSync(tool, TOOL);
  const model = modelArguments(options);
  const effects = join(folder, "effects.txt");
  const home = join(folder, "home");
  const env = { EFFECTS: effects };
  const asked = [
    "run",
    "Note the weather in Lisbon.",
    "--json",
    "--max-steps",
    "8",
    "--tool",
    tool,
  ];
  const random = generator(options.seed);
  const whole = await chorale([...asked, ...model], { home, env });
  const problems: string[] = [];
  let killed = 0;
  let unknownOutcomes = 0;
  for (let run = 0; run < runs; run++) {
    options.onProgress?.(run);
    const before = await threadIds(home);
    const delay = random() * whole.milliseconds;
    const ran = await chorale([...asked, ...model], {
      home,
      env,
      whileRunning: (child) => setTimeout(() => child.kill("SIGKILL"), delay),
    });
    if (ran.signal === "SIGKILL") killed++;
    const [id] = [...(await threadIds(home))].filter((thread) => !before.has(thread));
    if (id === undefined) continue;
    const state = await stateOf(home, id, problems);
    if (state?.turn == null) continue;
    const wasStarted = state.turn.calls.some(({ progress }) => progress === "started");
    const resumed = await chorale(["run", "--resume", id, "--json", "--tool", tool, ...model], {
      home,
      env,
    });
    if (wasStarted) {
      unknownOutcomes++;
      if (!resumed.stderr.includes("It was not executed again")) {
        problems.push(`${id}: a call without a result was not told: ${resumed.stderr}`);
      }
    }
    const after = await stateOf(home, id, problems);
    if (after !== null && after.turn !== null) problems.push(`${id}: the turn is still open`);
  }
  const keys = existsSync(effects) ? readFileSync(effects, "utf8").trim().split("\n") : [];
  const twice = keys.filter((key, at) => keys.indexOf(key) !== at);
  problems.push(...twice.map((key) => `executed twice: ${key}`));
  problems.push(...(await unlogged(home, keys)));
  return { runs, killed, unknownOutcomes, effects: keys.length, problems };
}

function modelArguments({ model, folder }: KillOptions): readonly string[] {
  if (model === "embedded") return [];
  const path = join(folder, "model");
  mkdirSync(path);
  copyFileSync(vocabulary, join(path, "tokenizer.json"));
  const tokenizer = tokenizerFromHfJson(JSON.parse(readFileSync(vocabulary, "utf8")));
  makeChainModel(path, tokenizer, "<|channel|>commentary to=note<|message|>{}<|call|>");
  return ["--model", path];
}

async function threadIds(home: string): Promise<ReadonlySet<string>> {
  if (!existsSync(threadsPath({ path: home }))) return new Set();
  await using store = new SqliteThreadStore(threadsPath({ path: home }));
  return new Set((await store.list()).map(({ threadId }) => threadId));
}

async function stateOf(
  home: string,
  threadId: string,
  problems: string[],
): Promise<ThreadState | null> {
  try {
    await using store = new SqliteThreadStore(threadsPath({ path: home }));
    const state = fold(await store.read(threadId));
    step(state);
    return state;
  } catch (error) {
    problems.push(`${threadId}: ${String(error)}`);
    return null;
  }
}

/** Effects of calls that are not in the log. */
async function unlogged(home: string, keys: readonly string[]): Promise<readonly string[]> {
  await using store = new SqliteThreadStore(threadsPath({ path: home }));
  const logged = new Set<string>();
  for (const { threadId } of await store.list()) {
    for (const entry of await store.read(threadId)) {
      if (entry.type === "call") logged.add(entry.idempotencyKey);
    }
  }
  return keys
    .filter((key) => !logged.has(key))
    .map((key) => `executed, but not in the log: ${key}`);
}

/** Numbers from 0 to 1, the same for a seed. Source: the mulberry32 generator. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
