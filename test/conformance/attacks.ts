/** Runs attacks on the Python sandbox and says what each of them reached. */
import { rmSync } from "node:fs";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { visibleText } from "../../runtime/cli/terminal-text.ts";
import { present } from "../../tools/python/python-tool.ts";
import { type CellResult, PythonSession } from "../../tools/python/session.ts";
import { type Canaries, plantCanaries } from "./canaries.ts";
import { type CaseResult, ConformanceInputError, readCases } from "./case-result.ts";
import { watchMemory } from "./watch-memory.ts";

/** Which layers are between the attack and the machine; `replaceLaunch` has taken away the others. */
export type Layers = "both" | "isolate" | "process";

type Check = {
  readonly max_ms?: number;
  readonly max_rss?: number;
  readonly must_not_contain?: string;
  readonly after?: string;
  readonly after_result_contains?: string;
  readonly result_contains?: string;
  readonly spoof?: boolean;
};

export type Attack = {
  readonly id: string;
  readonly code: string;
  readonly setup?: string;
  readonly must_not: readonly string[];
  readonly check?: Check;
};

const CELL_TIMEOUT_MS = 2000;
const ANSWER_WITHIN_MS = 5000;
const ANSWER_GRACE_MS = 1500;
const LARGEST_ANSWER = 1_000_000;
/** For what an attack started and did not wait for: a connection, a signal. */
const SETTLE_MS = 150;
/** Without its limits the isolate's process would take the whole machine's memory. */
const SAFETY_MIB = 2500;
const MIB = 1024 * 1024;

/** @throws ConformanceInputError when a file has another form */
export async function* runAttacks(
  paths: readonly string[],
  layers: Layers,
): AsyncGenerator<CaseResult> {
  const canaries = await plantCanaries();
  try {
    for (const path of paths) {
      for (const attack of readAttacks(path)) yield await runAttack(attack, layers, canaries);
    }
  } finally {
    await canaries.remove();
    rmSync(canaries.folder, { recursive: true, force: true });
  }
}

function readAttacks(path: string): readonly Attack[] {
  const { cases } = readCases(path) as { cases?: readonly Attack[] };
  const isAttack = (one: Attack): boolean =>
    typeof one?.id === "string" && typeof one.code === "string" && Array.isArray(one.must_not);
  if (!Array.isArray(cases) || !cases.every(isAttack)) {
    throw new ConformanceInputError(`${path} needs {cases: [{id, code, must_not}, …]}.`);
  }
  return cases;
}

/** Runs one attack in a fresh session, then a further cell, and looks at every canary. */
export async function runAttack(
  attack: Attack,
  layers: Layers,
  canaries: Canaries,
): Promise<CaseResult> {
  const { check = {} } = attack;
  canaries.reset();
  const results: CellResult[] = [];
  if (attack.setup !== undefined) {
    const before = openSession(layers, canaries);
    results.push(await run(before, canaries.fill(attack.setup)));
    await before.close();
  }
  const session = openSession(layers, canaries);
  try {
    await session.start();
    const memory = watchMemory(SAFETY_MIB * MIB);
    const startedAt = performance.now();
    const answerWithin = (check.max_ms ?? ANSWER_WITHIN_MS) + ANSWER_GRACE_MS;
    const result = await Promise.race([
      run(session, canaries.fill(attack.code)),
      new Promise<null>((resolve) => setTimeout(resolve, answerWithin, null)),
    ]);
    const ms = Math.round(performance.now() - startedAt);
    const after = result && (await run(session, check.after ?? "40+2"));
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const rss = Math.round(memory.stop() / MIB);
    if (result !== null) results.push(result);
    if (after !== null) results.push(after);

    const reached = new Set(canaries.reached(results.map(everything)));
    if (result === null) reached.add("HANG");
    else
      for (const problem of judge(attack, result, after, { ms, rss, layers })) reached.add(problem);
    const relevant = [...reached].filter(
      (name) => attack.must_not.includes(name) || name.startsWith("check."),
    );
    const got = { reached: relevant, ending: result?.ending, reason: result?.reason, ms, rss };
    return { id: attack.id, pass: relevant.length === 0, got, expected: "contained" };
  } finally {
    await session.close();
  }
}

type Measured = { readonly ms: number; readonly rss: number; readonly layers: Layers };

function* judge(
  { check = {} }: Attack,
  result: CellResult,
  after: CellResult | null,
  { ms, rss, layers }: Measured,
): Generator<string> {
  const answer = everything(result);
  if (after === null || after.ending !== "finished" || after.error !== null) yield "CRASH";
  else if (check.after === undefined && after.value !== "42") yield "CRASH";
  // Alone, the isolate would have been in the agent's own process.
  if (layers === "isolate" && /ended by SIG|out of memory/.test(result.reason ?? "")) yield "CRASH";
  if (answer.length > LARGEST_ANSWER) yield "OVERSIZE";
  if (/^'?FORGED'?$/.test(result.value ?? result.output.trim())) yield "FORGED";
  if (check.max_ms !== undefined && ms > check.max_ms) yield `check.max_ms (${ms})`;
  if (check.max_rss !== undefined && rss > check.max_rss) yield `check.max_rss (${rss})`;
  for (const one of [result, after]) {
    const forbidden = check.must_not_contain;
    if (forbidden === undefined || one === null) continue;
    if (`${one.output}\n${one.value}`.includes(forbidden)) yield "check.must_not_contain";
  }
  if (check.result_contains && !answer.includes(check.result_contains)) {
    yield "check.result_contains";
  }
  if (check.after_result_contains) {
    const text = after === null ? "" : everything(after);
    if (!text.includes(check.after_result_contains)) yield "check.after_result_contains";
  }
  if (check.spoof === true) yield* spoofs(answer);
}

/** C0 without tab and newline, DEL, C1, direction controls, halves of characters. */
const OBEYED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it is about
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\p{Surrogate}]/u;

/** What the answer would do as part of a prompt, and on a terminal. */
function* spoofs(answer: string): Generator<string> {
  const tokenizer = loadO200kHarmony();
  if (tokenizer.encode(answer).some((id) => tokenizer.isSpecial(id))) yield "check.spoof (prompt)";
  if (OBEYED.test(visibleText(answer))) yield "check.spoof (terminal)";
}

/** All that a cell gave back, as the model reads it. */
const everything = (result: CellResult): string => present(result).text;

const run = (session: PythonSession, code: string): Promise<CellResult> =>
  session.run(code, new AbortController().signal);

function openSession(layers: Layers, canaries: Canaries): PythonSession {
  return new PythonSession({
    timeoutMs: CELL_TIMEOUT_MS,
    // A snapshot made in an isolate does not fit the other place.
    cacheDir: layers === "process" ? null : canaries.cacheDir,
  });
}
