/**
 * Runs of the command with a tool that leaves something behind, killed (SIGKILL) at random moments and continued,
 * and killed again while they go on. What must hold: every run comes to the answer of a run that nothing disturbed, no
 * effect happens twice, every effect is in the log, no process outlives the one that started it, and no turn stays
 * open.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tokenizerFromHfJson } from "../../harmony/index.ts";
import { threadsPath } from "../../runtime/environment.ts";
import { fold, SqliteThreadStore, step, type ThreadState } from "../../runtime/index.ts";
import { chorale, eventsOf, type Ran } from "../cli/chorale.ts";
import { makeChainModel } from "../fixtures/make-chain-model.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";

export type KillReport = {
  readonly runs: number;
  readonly kills: number;
  /** Kills of a run that went on after one. */
  readonly killsOfResumed: number;
  /** Kills while a call was executed that may not be repeated: what it did is not known, and that is said. */
  readonly unknownOutcomes: number;
  /** Kills while a call was executed that may be: it is executed again, and takes effect once. */
  readonly repeatedCalls: number;
  readonly effects: number;
  readonly sameAnswers: number;
  readonly problems: readonly string[];
};

export type KillOptions = {
  readonly kills: number;
  readonly folder: string;
  /** Makes the moments of the kills. */
  readonly seed: number;
  /** `chain`: random weights that call until their last step; `embedded`: the embedded model. */
  readonly model: "chain" | "embedded";
  readonly onProgress?: (kills: number) => void;
};

/**
 * Each call writes a line into one file when it begins, and makes a file named by its idempotency key: the effect, which
 * a second call with the key finds there. The tool that may not be repeated says so by finding it.
 */
const TOOL = (isIdempotent: boolean): string => `
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
export default {
  recipient: "functions.note",
  description: "Writes the weather of a city into a notebook.",
  inputSchema: { type: "object", properties: { city: { type: "string" } } },
  annotations: { idempotentHint: ${isIdempotent} },
  timeoutMs: 10000,
  async execute(input, { idempotencyKey }) {
    appendFileSync(join(process.env.EFFECTS, "calls.txt"), idempotencyKey + "\\n");
    const file = join(process.env.EFFECTS, idempotencyKey.replaceAll(":", "-") + ".effect");
    try {
      writeFileSync(file, idempotencyKey, { flag: "wx" });
    } catch (error) {
      if (error.code !== "EEXIST" || !${isIdempotent}) throw error;
    }
    await new Promise((done) => setTimeout(done, 80));
    return "noted";
  },
};
`;

const vocabulary = fileURLToPath(new URL("../../inference/demo/tokenizer.json", import.meta.url));

type Place = {
  readonly home: string;
  readonly effects: string;
  readonly random: () => number;
  readonly problems: string[];
};

type Counts = {
  -readonly [Name in "killsOfResumed" | "unknownOutcomes" | "repeatedCalls"]: number;
};

export async function killRuns(options: KillOptions): Promise<KillReport> {
  const { folder } = options;
  const tools = [true, false].map((isIdempotent) => {
    const path = join(folder, isIdempotent ? "repeatable.mjs" : "once.mjs");
    writeFileSync(path, TOOL(isIdempotent));
    return path;
  });
  const place: Place = {
    home: join(folder, "home"),
    effects: join(folder, "effects"),
    random: randomNumbers(options.seed),
    problems: [],
  };
  mkdirSync(place.effects);
  const model = [...modelArguments(options), "--temperature", "0", "--seed", "1"];
  const question = ["run", "Note the weather in Lisbon.", "--json", "--max-steps", "4"];
  const asked = (tool: string): string[] => [...question, "--tool", tool, ...model];
  // The first start makes the memory image of Python; the second takes as long as the others will.
  await start(asked(tools[0] ?? ""), place);
  const whole = await start(asked(tools[0] ?? ""), place);
  const answer = answerOf(whole);
  if (answer === null) place.problems.push(`an undisturbed run gives no answer: ${whole.stderr}`);
  const counts: Counts = { killsOfResumed: 0, unknownOutcomes: 0, repeatedCalls: 0 };
  let [runs, kills, sameAnswers] = [0, 0, 0];
  while (kills < options.kills && place.problems.length < MAX_PROBLEMS) {
    // The embedded model would answer otherwise where it reads that an outcome is not known.
    const tool = tools[options.model === "embedded" ? 0 : runs % 2] ?? "";
    runs++;
    const before = await threadIds(place.home);
    const ran = await start(asked(tool), place, momentOf(place, whole.milliseconds));
    if (ran.signal !== "SIGKILL") continue;
    kills++;
    options.onProgress?.(kills);
    const [id] = [...(await threadIds(place.home))].filter((thread) => !before.has(thread));
    // It was killed before the turn was in the log: nothing has happened.
    if (id === undefined) continue;
    const going = ["run", "--resume", id, "--json", "--tool", tool, ...model];
    const left = options.kills - kills;
    const ended = await goOn(id, going, whole.milliseconds, left, place, counts);
    kills += ended.kills;
    if (ended.answer === answer) sameAnswers++;
    else if (ended.answer !== NOTHING) {
      place.problems.push(`${id}: the answer is ${ended.answer}, and undisturbed it is ${answer}`);
    }
  }
  place.problems.push(...(await orphans(place.home)), ...(await wrongEffects(place)));
  const effects = readdirSync(place.effects).filter((name) => name.endsWith(".effect")).length;
  return { runs, kills, ...counts, effects, sameAnswers, problems: place.problems };
}

/** After so many there is no use in going on. */
const MAX_PROBLEMS = 20;
/** What the thread has instead of an answer where its turn was not in the log yet. */
const NOTHING = Symbol("nothing");

/** Resumes a thread until its turn is over, and kills that as well now and then. */
async function goOn(
  id: string,
  args: readonly string[],
  milliseconds: number,
  maxKills: number,
  place: Place,
  counts: Counts,
): Promise<{ readonly kills: number; readonly answer: string | null | typeof NOTHING }> {
  let kills = 0;
  let answer: string | null | typeof NOTHING = NOTHING;
  for (let attempt = 0; attempt < 20; attempt++) {
    const state = await stateOf(place, id);
    if (state === null) return { kills, answer: null };
    if (state.turn === null) return { kills, answer };
    const [open] = state.turn.calls.filter(({ progress }) => progress === "started");
    const isKilled = kills < maxKills && place.random() < 0.4;
    const resumed = await start(args, place, isKilled ? momentOf(place, milliseconds) : undefined);
    if (resumed.signal === "SIGKILL") {
      kills++;
      counts.killsOfResumed++;
    } else if (open !== undefined && !open.isRepeatable) {
      counts.unknownOutcomes++;
      if (resumed.code !== 1 || !resumed.stderr.includes("It was not executed again")) {
        place.problems.push(`${id}: a call without a result was not told: ${resumed.stderr}`);
      }
      // What is unknown has been said, and is in the log: the next turn of a person goes on from there.
      const asked = ["run", "--resume", id, "Go on.", ...args.slice(3), "--max-steps", "2"];
      answer = answerOf(await start(asked, place));
    } else {
      if (open !== undefined) counts.repeatedCalls++;
      answer = answerOf(resumed);
    }
  }
  place.problems.push(`${id}: the turn is still open`);
  return { kills, answer };
}

/** When a run is killed: so many milliseconds behind its start, or behind the beginning of its nth call. */
type Moment = { readonly behindStart: number } | { readonly call: number; readonly behind: number };

/** Half of the moments lie anywhere, the others while a tool works or just behind that. */
function momentOf({ random }: Place, milliseconds: number): Moment {
  return random() < 0.5
    ? { behindStart: random() * milliseconds }
    : { call: 1 + Math.floor(random() * 3), behind: random() * 120 };
}

/** @param moment undefined: it is not killed */
async function start(
  args: readonly string[],
  { home, effects }: Place,
  moment?: Moment,
): Promise<Ran> {
  const before = callsIn(effects).length;
  return chorale(args, {
    home,
    env: { EFFECTS: effects },
    whileRunning: (child) => {
      if (moment === undefined) return;
      const kill = (): boolean => child.kill("SIGKILL");
      const timers: NodeJS.Timeout[] = [];
      if ("behindStart" in moment) timers.push(setTimeout(kill, moment.behindStart));
      else {
        const watch = setInterval(() => {
          if (callsIn(effects).length < before + moment.call) return;
          clearInterval(watch);
          timers.push(setTimeout(kill, moment.behind));
        }, 5);
        timers.push(watch);
      }
      child.on("close", () => timers.forEach(clearTimeout));
    },
  });
}

/** The idempotency keys of calls, in the order in which they began. */
function callsIn(effects: string): readonly string[] {
  const path = join(effects, "calls.txt");
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
}

function answerOf({ stdout }: Ran): string | null {
  const last = eventsOf(stdout).at(-1);
  return last?.type === "run.completed" ? last.output : null;
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

async function stateOf({ home, problems }: Place, threadId: string): Promise<ThreadState | null> {
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

/** Processes that belong to a run that is over: they have its state folder in their environment. */
async function orphans(home: string): Promise<readonly string[]> {
  if (process.platform !== "linux") return [];
  let found: readonly string[] = [];
  for (let waited = 0; waited < 5_000; waited += 100) {
    found = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && hasHome(name, home));
    if (found.length === 0) return [];
    await new Promise((done) => setTimeout(done, 100));
  }
  return found.map((pid) => `process ${pid} outlived its run`);
}

function hasHome(pid: string, home: string): boolean {
  try {
    const isZombie = /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return !isZombie && environment.includes(`CHORALE_HOME=${home}`);
  } catch {
    return false;
  }
}

/** Calls that were executed twice although that may not be, and effects of calls that are not in the log. */
async function wrongEffects({ home, effects }: Place): Promise<readonly string[]> {
  await using store = new SqliteThreadStore(threadsPath({ path: home }));
  const logged = new Map<string, boolean>();
  const open: string[] = [];
  for (const { threadId, isOpen } of await store.list()) {
    if (isOpen) open.push(threadId);
    for (const entry of await store.read(threadId)) {
      if (entry.type === "call") logged.set(entry.idempotencyKey, entry.isRepeatable);
    }
  }
  const calls = callsIn(effects);
  const once = calls.filter((key) => logged.get(key) === false);
  return [
    ...once.filter((key, at) => once.indexOf(key) !== at).map((key) => `executed twice: ${key}`),
    ...calls.filter((key) => !logged.has(key)).map((key) => `executed, but not in the log: ${key}`),
    ...open.map((threadId) => `${threadId}: the turn is open`),
  ];
}
